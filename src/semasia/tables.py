"""Write a table for the next rule (Parquet) and for a person (CSV)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from semasia.files import whole_file

_TYPES: dict[type, Any] = {str: pl.String, int: pl.Int64, float: pl.Float64, bool: pl.Boolean}


def frame_of(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, type]) -> pl.DataFrame:
    """Return rows as a frame with exactly ``columns``, in their order; None becomes null."""
    schema = {name: _TYPES[kind] for name, kind in columns.items()}
    return pl.DataFrame([{name: row.get(name) for name in columns} for row in rows], schema=schema)


def write_table(
    frame: pl.DataFrame, parquet: str | Path | None, csv: str | Path | None = None
) -> None:
    """Write a frame as Parquet and as CSV, where a path is given; whole files or none."""
    if parquet is not None:
        with whole_file(Path(parquet)) as temporary:
            frame.write_parquet(temporary)
    if csv is not None:
        with whole_file(Path(csv)) as temporary:
            frame.write_csv(temporary)
