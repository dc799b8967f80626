"""A digest of all of a Parquet file's bytes, kept within the file: what was altered is told.

A library may take altered bytes for values, or end the process over them. Of the file's own
metadata 64 bytes are zeros while the digest is taken, and hold it afterwards; to every other reader
it is one more pair of key and value.
"""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_KEY = b"semasia_file_sha256"
# Between a key and its value the format has two bytes: that text follows, and its length.
_GAP = 2
_ZEROS = b"0" * 64


def sealed_parquet(frame: pl.DataFrame) -> bytes:
    """Return a frame as a Parquet file with the digest of its bytes."""
    sink = io.BytesIO()
    frame.write_parquet(sink, metadata={_KEY.decode(): _ZEROS.decode()})
    content = sink.getvalue()
    place = content.rindex(_KEY) + len(_KEY) + _GAP
    assert content[place : place + 64] == _ZEROS, "Parquet's layout of key and value"
    return content[:place] + _digest(content, place) + content[place + 64 :]


def is_altered(content: bytes) -> bool:
    """Whether a file's bytes are others than were sealed; False of a file without a seal."""
    found = content.rfind(_KEY)
    place = found + len(_KEY) + _GAP
    return found >= 0 and content[place : place + 64] != _digest(content, place)


def _digest(content: bytes, place: int) -> bytes:
    whole = hashlib.sha256(memoryview(content)[:place])
    whole.update(_ZEROS)
    whole.update(memoryview(content)[place + 64 :])
    return whole.hexdigest().encode()
