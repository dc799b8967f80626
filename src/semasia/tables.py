"""Tables between rules: Parquet for the next rule, CSV for a person, one error for a bad file."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from semasia.errors import DamagedFileError, first_line
from semasia.files import AGAIN, content_of, read_record, whole_file
from semasia.seals import is_altered, sealed_parquet

_TYPES: dict[type, Any] = {str: pl.String, int: pl.Int64, float: pl.Float64, bool: pl.Boolean}


def frame_of(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, type]) -> pl.DataFrame:
    """Return rows as a frame with exactly ``columns``, in their order; None becomes null."""
    schema = {name: _TYPES[kind] for name, kind in columns.items()}
    return pl.DataFrame([{name: row.get(name) for name in columns} for row in rows], schema=schema)


def write_table(
    frame: pl.DataFrame, parquet: str | Path | None, csv: str | Path | None = None
) -> None:
    """Write a frame as Parquet and as CSV, where a path is given; whole files or none.

    Raises
    ------
    StorageError
        If a file cannot be written; what stood there stays.
    """
    if parquet is not None:
        with whole_file(Path(parquet)) as temporary:
            temporary.write_bytes(sealed_parquet(frame))
    if csv is not None:
        with whole_file(Path(csv)) as temporary:
            frame.write_csv(temporary)


def read_table(
    path: str | Path, columns: Mapping[str, Any] | Iterable[str] = (), advice: str = AGAIN
) -> pl.DataFrame:
    """Read a table that a rule wrote.

    Parameters
    ----------
    path : path
        A Parquet file.
    columns : mapping or iterable of str
        Columns that it must have; of a mapping, with the types (of Python or of polars) that it
        gives. Others are kept.
    advice : str
        What a user is to do about a file that cannot be used.

    Raises
    ------
    DamagedFileError
        If it is not there, is damaged, or lacks a column. The message names the file and what was
        found.
    """
    path = Path(path)
    content = content_of(path, advice)
    if is_altered(content):
        raise DamagedFileError(f"{path}: was altered after it was written. {advice}")
    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        found = "an empty file" if not content else f"{len(content):,} bytes: {first_line(error)}"
        raise DamagedFileError(f"{path}: is no whole Parquet table ({found}). {advice}") from error
    wanted = columns if isinstance(columns, Mapping) else dict.fromkeys(columns)
    for name, kind in wanted.items():
        if name not in frame.columns:
            raise DamagedFileError(
                f"{path}: has no column {name!r}; it has {', '.join(frame.columns) or 'none'}. "
                f"{advice}"
            )
        if kind is not None and frame.schema[name] != _TYPES.get(kind, kind):
            raise DamagedFileError(
                f"{path}: column {name!r} holds {frame.schema[name]}, not "
                f"{_TYPES.get(kind, kind)}. {advice}"
            )
    return frame


def read_tables(paths: Iterable[str | Path], columns: Mapping[str, type]) -> pl.DataFrame:
    """Read the tables of several jobs, which have exactly ``columns``, one below the other.

    Raises
    ------
    DamagedFileError
        As :func:`read_table`, and if one has another column.
    """
    frames = [frame_of([], columns)]
    for path in paths:
        frame = read_table(path, columns)
        if other := [name for name in frame.columns if name not in columns]:
            raise DamagedFileError(f"{path}: has a column {other[0]!r} of another table. {AGAIN}")
        frames.append(frame.select(list(columns)))
    return pl.concat(frames)


def read_rows(
    paths: Iterable[str | Path], columns: Mapping[str, type], required: Iterable[str] = ()
) -> pl.DataFrame:
    """Read JSON records, each a row of a table with ``columns``; a key that is missing is null.

    Raises
    ------
    DamagedFileError
        If a file is not there or damaged, lacks a required key, or a value is of another type.
    """
    rows = []
    for path in paths:
        row = read_record(path, required)
        for name, kind in columns.items():
            # A whole number is one of the reals; true and false are none.
            kinds = (int, float) if kind is float else (kind,)
            if row.get(name) is not None and type(row[name]) not in kinds:
                raise DamagedFileError(
                    f"{path}: {name!r} is {row[name]!r}, no {kind.__name__}. {AGAIN}"
                )
        rows.append(row)
    return frame_of(rows, columns)
