"""Writes standard input to standard output as gzip, by the zlib that Python was built with.

Arguments: level, strategy, memory level, window bits, and, to flush, the kind of flush and the
bytes of plain text after which to do it.
"""

import sys
import zlib

GZIP = 16
READ_SIZE = 1 << 20


def main() -> None:
    level, strategy, memory_level, window_bits = map(int, sys.argv[1:5])
    flush_kind, flush_size = map(int, sys.argv[5:7]) if len(sys.argv) > 5 else (0, 0)
    encoder = zlib.compressobj(level, zlib.DEFLATED, GZIP + window_bits, memory_level, strategy)
    while part := sys.stdin.buffer.read(flush_size or READ_SIZE):
        sys.stdout.buffer.write(encoder.compress(part))
        if flush_size:
            sys.stdout.buffer.write(encoder.flush(flush_kind))
    sys.stdout.buffer.write(encoder.flush())


main()
