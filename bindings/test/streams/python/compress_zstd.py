"""Writes standard input to standard output as zstd, by the libzstd of the package zstandard.

Arguments: folder of the package, level, whether there is a checksum, whether the size is told.
"""

import sys

sys.path.insert(0, sys.argv[1])

import zstandard  # noqa: E402

READ_SIZE = 100_000


def main() -> None:
    level, checksum, sized = map(int, sys.argv[2:5])
    plain = sys.stdin.buffer.read()
    encoder = zstandard.ZstdCompressor(level=level, write_checksum=bool(checksum))
    stream = encoder.compressobj(size=len(plain) if sized else -1)
    for start in range(0, len(plain), READ_SIZE):
        sys.stdout.buffer.write(stream.compress(plain[start : start + READ_SIZE]))
    sys.stdout.buffer.write(stream.flush())


main()
