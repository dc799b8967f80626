"""Query many shards at once, lazily, with polars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from semasia.errors import ShardError, did_you_mean


def scan(
    benchmarks: str | Sequence[str] | None = None,
    models: str | Sequence[str] | None = None,
    splits: str | Sequence[str] | None = None,
    *,
    root: str | Path = "results",
) -> pl.LazyFrame:
    """Return a lazy frame over all matching shards of a collection.

    Columns are those of the shards, with ``benchmark`` and ``split`` before them. Where models
    differ in width, ``embedding`` is a list column; where all are equal it is a fixed-size array.

    Parameters
    ----------
    benchmarks, models, splits : str or sequence of str, optional
        Keep only these; None keeps all.
    root : path
        The results folder of a collection.

    Raises
    ------
    ShardError
        If nothing matches; the message offers near names.
    """
    base = Path(root) / "latents"
    wanted = (_names(benchmarks), _names(models), _names(splits))
    shards = sorted(p for p in base.glob("*/*/*.parquet") if not p.name.startswith("."))
    keys = [(p.parts[-3], p.parts[-2], p.stem) for p in shards]
    for names, position in zip(wanted, range(3), strict=True):
        known = {key[position] for key in keys}
        for name in names or ():
            if name not in known:
                raise ShardError(f"{base}: no shard of {name!r}.{did_you_mean(name, known)}")
    frames = []
    widths = set()
    for path, key in zip(shards, keys, strict=True):
        if all(names is None or part in names for names, part in zip(wanted, key, strict=True)):
            frame = pl.scan_parquet(path).select(
                pl.lit(key[0]).alias("benchmark"), pl.lit(key[2]).alias("split"), pl.all()
            )
            widths.add(frame.collect_schema()["embedding"])
            frames.append(frame)
    if not frames:
        raise ShardError(f"{base}: no shard matches {benchmarks=}, {models=}, {splits=}.")
    if len(widths) > 1:
        frames = [f.with_columns(pl.col("embedding").cast(pl.List(pl.Float32))) for f in frames]
    return pl.concat(frames, how="diagonal")


def _names(value: str | Sequence[str] | None) -> set[str] | None:
    if value is None:
        return None
    return {value} if isinstance(value, str) else set(value)
