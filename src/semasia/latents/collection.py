"""Query many shards at once, lazily, with polars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from semasia.errors import ShardError, did_you_mean

_FIXED = {"id": pl.UInt32, "model_name": pl.String, "embedding": pl.Array}


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
        If nothing matches (the message offers near names), or a file that does is no shard.
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
            frame, schema = _opened(path)
            widths.add(schema["embedding"])
            frames.append(
                frame.select(
                    pl.lit(key[0]).alias("benchmark"), pl.lit(key[2]).alias("split"), pl.all()
                )
            )
    if not frames:
        raise ShardError(f"{base}: no shard matches {benchmarks=}, {models=}, {splits=}.")
    if len(widths) > 1:
        frames = [f.with_columns(pl.col("embedding").cast(pl.List(pl.Float32))) for f in frames]
    return pl.concat(frames, how="diagonal")


def _opened(path: Path) -> tuple[pl.LazyFrame, pl.Schema]:
    try:
        frame = pl.scan_parquet(path, glob=False)
        schema = frame.collect_schema()
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise ShardError(
            f"{path}: is no shard: it cannot be read as Parquet ({error}). Move it away, or "
            "delete it and run again."
        ) from error
    for column, kind in schema.items():
        wanted = _FIXED.get(column, pl.Int64)
        if kind != wanted:
            raise ShardError(
                f"{path}: is no shard: {column!r} is {kind}, and {wanted} is needed. Move it away."
            )
    missing = [c for c in _FIXED if c not in schema]
    if missing:
        raise ShardError(
            f"{path}: is no shard: it has no column {missing[0]!r}; it has {', '.join(schema)}. "
            "Move it away."
        )
    return frame, schema


def _names(value: str | Sequence[str] | None) -> set[str] | None:
    if value is None:
        return None
    return {value} if isinstance(value, str) else set(value)
