"""How a shard's Parquet file is encoded: chosen by trial between two, see docs/data-format.md."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

# Target size of a row group's embeddings: small enough to stream and to fetch a few rows from a
# remote file, large enough that reading it in order runs at full speed.
_ROW_GROUP_BYTES = 32 << 20

_COMMON: dict[str, Any] = {
    "compression": "zstd",
    "compression_level": 3,
    "use_dictionary": ["model_name"],
    "write_statistics": ["id"],
    "data_page_version": "1.0",
    "version": "2.6",
}
# Of a row group's rows, those that are written both ways to choose one.
_TRIED = 8
# Floats split into streams of first, second … bytes, which suits dense values: signs and exponents
# lie together and compress. Whole floats suit sparse ones: an exact zero is then one thing, not
# four.
SPLIT: dict[str, Any] = {**_COMMON, "use_byte_stream_split": ["embedding.list.element"]}
WHOLE: dict[str, Any] = {**_COMMON, "use_byte_stream_split": False}


def row_group_rows(width: int) -> int:
    """Return the rows per row group for vectors of ``width`` float32: a power of two."""
    return 1 << max(6, (_ROW_GROUP_BYTES // (4 * width)).bit_length() - 1)


def parquet_options(sample: pa.Table) -> dict[str, Any]:
    """Return the options for ``ParquetWriter`` that make a shard smaller.

    Parameters
    ----------
    sample : pyarrow.Table
        The shard's first row group. Its first eighth is written both ways in memory; the smaller
        wins, and a tie goes to the split.
    """
    sample = sample.slice(0, math.ceil(len(sample) / _TRIED))
    return min((SPLIT, WHOLE), key=lambda options: _size(sample, options))


def _size(table: pa.Table, options: dict[str, Any]) -> int:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=len(table), **options)
    return sink.getvalue().size
