"""Query many shards at once, lazily, with polars."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
from polars.io.plugins import register_io_source

from semasia.errors import ShardError, did_you_mean
from semasia.latents.layouts import Found
from semasia.latents.roots import Key, Root, root_of

_FIXED = {"id": pl.UInt32, "model_name": pl.String, "embedding": pl.Array}
_MANY = pl.List(pl.Float32)
# Footers that are read at a time: of a repository on the Hub each takes some tenths of a second.
_READERS = 16


def scan(
    benchmarks: str | Sequence[str] | None = None,
    models: str | Sequence[str] | None = None,
    splits: str | Sequence[str] | None = None,
    *,
    root: str | Path = "results",
) -> pl.LazyFrame:
    """Return a lazy frame over all matching shards of a collection.

    Columns are those of the shards, with ``benchmark`` and ``split`` before them. Where models
    differ in width, ``embedding`` is a list column; where all are equal it is a fixed-size array,
    but of the original release always a list column.

    Of a repository on the Hub the footers of the matching files are read at once, and nothing else
    until the frame is collected: then the columns that are asked for, of the row groups that can
    hold the ids that are asked for. All are of the commit that was the newest when it was scanned.

    Parameters
    ----------
    benchmarks, models, splits : str or sequence of str, optional
        Keep only these; None keeps all.
    root : path or str
        A results folder, or the repository of a benchmark: see :func:`semasia.load`.

    Raises
    ------
    ShardError
        If nothing matches (the message offers near names), or a file that does is no shard.
    HubError, HubUnreachableError
        If the Hub refuses, or does not answer.
    """
    base = root_of(root)
    wanted = (_names(benchmarks), _names(models), _names(splits))
    shards = base.shards()
    for names, position in zip(wanted, range(3), strict=True):
        known = {key[position] for key in shards}
        for name in names or ():
            if name not in known:
                raise ShardError(f"{base}: no shard of {name!r}.{did_you_mean(name, known)}")
    chosen = {
        key: found
        for key, found in shards.items()
        if all(names is None or part in names for names, part in zip(wanted, key, strict=True))
    }
    if not chosen:
        raise ShardError(f"{base}: no shard matches {benchmarks=}, {models=}, {splits=}.")
    with ThreadPoolExecutor(_READERS) as pool:
        frames = list(pool.map(lambda item: _frame(base, *item), chosen.items()))
    widths = {schema["embedding"] for _, schema in frames}
    return pl.concat(
        [
            frame if len(widths) == 1 else frame.with_columns(pl.col("embedding").cast(_MANY))
            for frame, _ in frames
        ],
        how="diagonal",
    )


def _frame(base: Root, key: Key, found: Found) -> tuple[pl.LazyFrame, pl.Schema]:
    opened = [_opened(base, place, found.released) for place in found.places]
    frame = pl.concat([frame for frame, _ in opened])
    named = [pl.lit(key.benchmark).alias("benchmark"), pl.lit(key.split).alias("split"), pl.all()]
    return frame.select(named), opened[0][1]


def _opened(base: Root, place: str, released: bool) -> tuple[pl.LazyFrame, pl.Schema]:
    try:
        frame = _scanned(base.address(place))
        schema = frame.collect_schema()
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise base.unreadable(place, error) from error
    where = f"{base}/{place}"
    missing = [c for c in _FIXED if c not in schema]
    if missing:
        raise ShardError(
            f"{where}: is no shard: it has no column {missing[0]!r}; it has "
            f"{', '.join(schema)}. {base.remedy}"
        )
    if released:
        frame = _as_ours(frame, schema)
        schema = frame.collect_schema()
    for column, kind in schema.items():
        wanted = _FIXED.get(column, pl.Int64)
        if kind != wanted and not (released and column == "embedding" and kind == _MANY):
            raise ShardError(
                f"{where}: is no shard: {column!r} is {kind}, and {wanted} is needed. {base.remedy}"
            )
    return frame, schema


def _scanned(address: str | Callable[[], str]) -> pl.LazyFrame:
    if isinstance(address, str):
        return pl.scan_parquet(address, glob=False)
    schema = pl.scan_parquet(address(), glob=False).collect_schema()

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        # The address that was good for the schema may be so no more.
        frame = pl.scan_parquet(address(), glob=False)
        frame = frame if rows is None else frame.head(rows)
        frame = frame if predicate is None else frame.filter(predicate)
        yield (frame if columns is None else frame.select(columns)).collect()

    return register_io_source(read, schema=schema)


def _as_ours(frame: pl.LazyFrame, schema: pl.Schema) -> pl.LazyFrame:
    """Give the original release's columns our types; what is no number stays and is refused."""
    labels = {c: kind for c, kind in schema.items() if c not in _FIXED}
    whole = [c for c, kind in labels.items() if kind.is_integer() or kind == pl.Boolean]
    return frame.with_columns(
        pl.col("id").cast(pl.UInt32),
        pl.col("embedding").cast(_MANY),
        *(pl.col(c).cast(pl.Int64) for c in whole),
    )


def _names(value: str | Sequence[str] | None) -> set[str] | None:
    if value is None:
        return None
    return {value} if isinstance(value, str) else set(value)
