"""Decompression of LZ4 frames, which the standard library does not have."""

from __future__ import annotations

_MAGIC = b"\x04\x22\x4d\x18"
_BLOCK_CHECKSUM, _CONTENT_SIZE, _DICTIONARY = 0x10, 0x08, 0x01
# The shortest match; its length is counted from here.
_SHORTEST = 4


def decompress(frame: bytes) -> bytes:
    """Return the content of a frame; checksums are not looked at.

    Raises
    ------
    ValueError
        If it is none.
    """
    if frame[:4] != _MAGIC:
        raise ValueError("not an LZ4 frame")
    flags = frame[4]
    # Flags, block size, and the header's checksum are a byte each.
    at = 4 + 3 + (8 if flags & _CONTENT_SIZE else 0) + (4 if flags & _DICTIONARY else 0)
    content = bytearray()
    while size := int.from_bytes(frame[at : at + 4], "little"):
        at += 4
        stored, size = size >> 31, size & 0x7FFFFFFF
        if stored:
            content += frame[at : at + size]
        else:
            _decompress_block(frame, at, at + size, content)
        at += size + (4 if flags & _BLOCK_CHECKSUM else 0)
    return bytes(content)


def _decompress_block(source: bytes, at: int, end: int, content: bytearray) -> None:
    while at < end:
        token = source[at]
        at += 1
        literals = token >> 4
        if literals == 15:
            more, at = _length(source, at)
            literals += more
        content += source[at : at + literals]
        at += literals
        if at >= end:
            # The last sequence has no match.
            return
        offset = source[at] | source[at + 1] << 8
        at += 2
        matched = token & 15
        if matched == 15:
            more, at = _length(source, at)
            matched += more
        matched += _SHORTEST
        start = len(content) - offset
        if offset >= matched:
            content += content[start : start + matched]
        else:
            # It reaches into what it writes itself: a pattern that repeats.
            content += (content[start:] * (matched // offset + 1))[:matched]


def _length(source: bytes, at: int) -> tuple[int, int]:
    length = 0
    while source[at] == 255:
        length += 255
        at += 1
    return length + source[at], at + 1
