"""A job of the similarity table: two groups of shards compared, and resumed pair by pair."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from semasia.comparison.pairing import Anchor, anchored_embeddings, opened_or_why, reference_of
from semasia.comparison.similarity import similarity_rows
from semasia.geometry import RowCache
from semasia.geometry.labelled import shard_facts
from semasia.latents import Shard
from semasia.latents.provenance import digest_of_columns

Rows = list[dict[str, Any]]


def tile_rows(
    paths: Mapping[str, Path],
    first: Sequence[str],
    second: Sequence[str],
    *,
    rows: int | None,
    with_intervals: Collection[frozenset[str]] = (),
    cache: RowCache,
) -> Rows:
    """Compare every model of one group with every model of another, or of the same.

    Nothing is read or summarised for pairs that the cache holds.

    Parameters
    ----------
    paths : mapping of Path
        Shard of each model, all of one split.
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

    Raises
    ------
    ShardError
        If no shard can be read.
    """
    logger = logging.getLogger(__name__)
    opened = {model: opened_or_why(path) for model, path in paths.items()}
    reference = reference_of(opened.values())
    anchor = Anchor.of(reference.ids, rows)
    # Of the inputs themselves: all rows of one split are not all rows of another.
    inputs = digest_of_columns([anchor.ids])

    def load(model: str) -> np.ndarray:
        shard = opened[model]
        if not isinstance(shard, Shard):
            raise shard
        logger.info("summarising %s", model)
        return anchored_embeddings(shard, anchor, reference)

    def asked(a: str, b: str) -> bool:
        return frozenset((a, b)) in with_intervals

    def keep(a: str, b: str, make: Callable[[], Rows]) -> Rows:
        shards = [shard for shard in (opened[a], opened[b]) if isinstance(shard, Shard)]
        if len(shards) < 2:
            return make()
        logger.info("comparing %s with %s", a, b)
        key = [*(shard.identity for shard in shards), inputs, asked(a, b)]
        return cache.get_or_make(key, lambda: {"rows": make()})["rows"]

    facts = shard_facts(reference)
    return list(
        similarity_rows(
            facts["benchmark"],
            facts["split"],
            anchor,
            first,
            second,
            load,
            intervals=asked,
            keep=keep,
        )
    )
