#!/usr/bin/env python3
"""Writes a tar of a few small files and a long one that repeats itself to stdout."""

import io
import sys
import tarfile

WORDS = [
    "layer", "file", "pack", "block", "recipe", "segment", "model", "restore", "tar", "gzip",
    "a", "of", "the", "in", "is", "and", "to", "byte", "stream", "header",
]


def words(state, count):
    """Words in an order that does not repeat; the same on every machine."""
    text = []
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        text.append(WORDS[(state >> 16) % len(WORDS)])
    return " ".join(text).encode()


def noise(state, count):
    """Bytes that do not compress."""
    bytes_ = bytearray()
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        bytes_.append(state >> 56)
    return bytes(bytes_)


def add(tar, path, content):
    member = tarfile.TarInfo(path)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


output = io.BytesIO()
with tarfile.open(fileobj=output, mode="w", format=tarfile.PAX_FORMAT) as tar:
    add(tar, "etc/empty", b"")
    add(tar, "etc/words", words(1, 3000))
    add(tar, "etc/noise", noise(2, 1500))
    add(tar, "usr/again", words(1, 3000))
    line = words(3, 40)
    log = b"".join(b"%s %d\n" % (line, number // 50) for number in range(5200))
    add(tar, "var/log", log)
    add(tar, "var/words", words(4, 2000))
sys.stdout.buffer.write(output.getvalue())
