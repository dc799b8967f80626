"""A job of the similarity table: two groups of shards compared, and resumed pair by pair."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

import numpy as np

from semasia.comparison.compared import ComparedShards
from semasia.comparison.similarity import similarity_rows, without_values
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

    def load(model: str) -> np.ndarray:
        logger.info("summarising %s", model)
        return compared.embeddings(model, anchor)

    def asked(a: str, b: str) -> bool:
        return frozenset((a, b)) in with_intervals

    def keep(a: str, b: str, make: Callable[[], Rows]) -> Rows:
        shards = [s for s in map(compared.opened.get, (a, b)) if isinstance(s, Shard)]
        if len(shards) == 2:
            logger.info("comparing %s with %s", a, b)
            key = [*(shard.identity for shard in shards), inputs, asked(a, b)]
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
            intervals=asked,
            keep=keep,
        )
    )
