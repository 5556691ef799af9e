#!/bin/bash
# Makes the layers in the folder above. Needs Python 3, GNU gzip, pigz and Go 1.26, and the Python package
# zstandard 0.25.0, whose libzstd is 1.5.7.
#
# The committed ones are from Python 3.11 with zlib 1.2.13, gzip 1.12, pigz 2.6, Go 1.26,
# klauspost/compress v1.20.2 and pgzip v1.3.0. Recipes are made of them by
# `cargo test --test golden_recipes -- --ignored`.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=$here/..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/make.go" "$work/main.go"
cd "$work"
go mod init layers 2>/dev/null
go mod edit -require github.com/klauspost/compress@v1.20.2 -require github.com/klauspost/pgzip@v1.3.0
go mod tidy 2>/dev/null
go build -o compress .

python3 "$here/make.py" > tar
head -c 60000 tar > small
layer() { cat > "$out/recipe-v1-$1.layer"; }

layer identity < small
./compress go 6 < tar | layer go-6
./compress go 1 < small | layer go-1
./compress klauspost 5 < tar | layer klauspost-5
./compress pgzip 5 < tar | layer pgzip-5
python3 -c 'import gzip, sys; sys.stdout.buffer.write(gzip.compress(sys.stdin.buffer.read(), 6, mtime=0))' \
  < small | layer zlib-6
gzip -n -9 < small | layer gzip-9
pigz -n -6 -p 2 < small | layer pigz-6
gzip -n < small > member
./compress go 9 < small > other
{ cat member other member; head -c 700 /dev/zero; } | layer members
# No compressor goes from strategy to strategy like this one.
python3 -c '
import sys, zlib
plain = sys.stdin.buffer.read()
state, at, body = 1, 0, b""
while at < len(plain):
    state = (state * 1664525 + 1013904223) % 2**32
    size, strategy = 50 + (state >> 24), (0, 2, 3, 4)[(state >> 20) % 4]
    stream = zlib.compressobj(9, zlib.DEFLATED, -15, 8, strategy, plain[max(0, at - 900):at])
    piece = plain[at:at + size]
    body += stream.compress(piece) + stream.flush(zlib.Z_SYNC_FLUSH)
    at += size
header = b"\x1f\x8b\x08\x14\0\0\0\0\0\xff\x05\0extraa comment\0"
trailer = zlib.crc32(plain).to_bytes(4, "little") + len(plain).to_bytes(4, "little")
sys.stdout.buffer.write(header + body + b"\3\0" + trailer)' < small | layer raw

# Level, whether there is a checksum, whether the size is told.
zstd() {
  python3 -c '
import sys, zstandard
level, checksum, sized = map(int, sys.argv[1:])
plain = sys.stdin.buffer.read()
encoder = zstandard.ZstdCompressor(level=level, write_checksum=bool(checksum))
stream = encoder.compressobj(size=len(plain) if sized else -1)
sys.stdout.buffer.write(stream.compress(plain) + stream.flush())' "$@"
}
zstd 3 1 0 < tar | layer zstd-3
zstd 19 0 1 < small | layer zstd-19
zstd -2 1 1 < tar | layer zstd-fast
# As zstd:chunked has them: what follows the frame is none of its text.
{ zstd 3 1 0 < small; printf '\x5e\x2a\x4d\x18\x05\0\0\0table'; } | layer zstd-skippable
./compress zstd 2 < small | layer zstd-klauspost
