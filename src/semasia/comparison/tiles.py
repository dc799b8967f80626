"""A job of the similarity table: two groups of shards compared, and resumed pair by pair."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

import numpy as np

from semasia.comparison.compared import ComparedShards
from semasia.comparison.pairing import Anchor
from semasia.comparison.similarity import (
    Sampling,
    jackknife_blocks,
    similarity_rows,
    without_values,
)
from semasia.errors import SemasiaError
from semasia.latents import Shard
from semasia.latents.provenance import digest_of_columns
from semasia.rows import RowCache, Rows


def tile_rows(
    paths: Iterable[str | Path],
    first: Sequence[str],
    second: Sequence[str],
    *,
    rows: int | None,
    with_intervals: Collection[frozenset[str]] = (),
    sampling: Sampling = Sampling.ROWS,
    cache: RowCache,
) -> Rows:
    """Compare every model of one group with every model of another, or of the same.

    Nothing is summarised for pairs that the cache holds; their latents are held to what was
    written, once for each shard.

    Parameters
    ----------
    paths : iterable of path
        ``…/MODEL/SPLIT.parquet``: the shard of each model, all of one split.
    first, second : sequence of str
        As :func:`semasia.comparison.similarity.similarity_rows`.
    rows : int or None
        Of the anchor.
    with_intervals : collection of frozensets of two models
    sampling : Sampling
        How rows are meant to have come; classes are those of the first label column.
    cache : RowCache

    Returns
    -------
    list of dict
        The keys of :data:`semasia.comparison.similarity.SIMILARITY_COLUMNS`. A shard that cannot
        be used, or has other rows than most, is a note in the rows of its pairs.
    """
    logger = logging.getLogger(__name__)
    compared = ComparedShards(paths)
    anchor = compared.anchor(rows)
    if anchor is None:
        shared = compared.place | {"anchor": None, "anchor_rows": None}
        return list(without_values(shared, first, second, compared.why))
    # Of the inputs themselves: all rows of one split are not all rows of another.
    inputs = digest_of_columns([anchor.ids])
    blocks = jackknife_blocks(anchor.ids, _classes(compared, anchor, sampling))

    def load(model: str) -> np.ndarray:
        logger.info("summarising %s", model)
        return compared.embeddings(model, anchor)

    def asked(a: str, b: str) -> bool:
        return frozenset((a, b)) in with_intervals

    def keep(a: str, b: str, make: Callable[[], Rows]) -> Rows:
        shards = [s for s in map(compared.opened.get, (a, b)) if isinstance(s, Shard)]
        if len(shards) == 2:
            logger.info("comparing %s with %s", a, b)
            key = [*(shard.identity for shard in shards), inputs, asked(a, b), blocks.sampling]
            try:
                return cache.rows(key, make, shards)
            except SemasiaError:
                if compared.sound(a, b):
                    raise
        # The note of a shard that cannot be used; not kept, as it may come back.
        return make()

    return list(
        similarity_rows(
            compared.place["benchmark"],
            compared.place["split"],
            anchor,
            first,
            second,
            load,
            blocks=blocks,
            intervals=asked,
            keep=keep,
        )
    )


def _classes(compared: ComparedShards, anchor: Anchor, sampling: Sampling) -> np.ndarray | None:
    """Return the class of every row of the anchor, where rows are dealt out by class."""
    shard = compared.reference
    if sampling is not Sampling.CLASSES or shard is None or not shard.label_columns:
        return None
    return shard.labels[shard.label_columns[0]][anchor.positions(shard.ids, shard.path)]
