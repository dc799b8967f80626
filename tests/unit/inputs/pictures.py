"""Image files that Pillow does not write itself: 16-bit colour, and large pieces of metadata."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

MAGIC = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum


def png16(pixels: np.ndarray) -> bytes:
    """Return a PNG of (h, w), or of (h, w, 2 | 3 | 4) uint16 pixels."""
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[pixels[0, 0].size]
    height, width = pixels.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return MAGIC + body


def tiff16(pixels: np.ndarray, order: str = "<", photometric: int = 2) -> bytes:
    """Return an uncompressed TIFF of (h, w, c) uint16 pixels in one byte order."""
    height, width, channels = pixels.shape
    data = pixels.astype(order + "u2").tobytes()
    bits = struct.pack(f"{order}{channels}H", *[16] * channels)
    at = 8 + len(data)
    # Tag, type (3: 16 bits, 4: 32 bits), count, value or place.
    tags = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, channels, at if channels > 1 else 16),
        (259, 3, 1, 1),
        (262, 3, 1, photometric),
        (273, 4, 1, 8),
        (277, 3, 1, channels),
        (278, 4, 1, height),
        (279, 4, 1, len(data)),
    ]
    if channels == 4:
        tags.append((338, 3, 1, 2))
    entries = b""
    for tag, kind, count, value in tags:
        short = kind == 3 and count == 1
        packed = struct.pack(order + ("HH" if short else "I"), *((value, 0) if short else (value,)))
        entries += struct.pack(order + "HHI", tag, kind, count) + packed
    directory = struct.pack(order + "H", len(tags)) + entries + bytes(4)
    start = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", at + len(bits))
    return start + data + bits + directory


def with_chunk(kind: bytes, data: bytes) -> bytes:
    """Return a PNG with one more chunk behind its header."""
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20), (1, 2, 3)).save(buffer, "PNG")
    plain = buffer.getvalue()
    return plain[:33] + chunk(kind, data) + plain[33:]
