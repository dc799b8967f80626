"""The decompression of LZ4, against the one in Arrow."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from .lz4 import decompress

pieces = st.lists(
    st.tuples(st.binary(min_size=1, max_size=40), st.integers(1, 3000)), min_size=1, max_size=12
)


@given(pieces)
def test_what_arrow_compresses_is_decompressed(pieces: list[tuple[bytes, int]]) -> None:
    content = b"".join(piece * times for piece, times in pieces)
    frame = pa.compress(content, codec="lz4", asbytes=True)
    assert decompress(frame) == content


def test_a_match_may_reach_into_what_it_writes() -> None:
    content = b"ab" * 50_000 + b"x" * 70_000
    frame = pa.compress(content, codec="lz4", asbytes=True)
    assert len(frame) < 2000
    assert decompress(frame) == content


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="not an LZ4 frame"):
        decompress(b"something else")
