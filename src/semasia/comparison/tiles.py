"""Every two of some models compared, pair by pair, so that a job can be resumed."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from semasia.comparison.pairing import Anchor, anchored_embeddings, paired_rows
from semasia.comparison.similarity import Summary, pair_rows, summarise
from semasia.errors import SemasiaError
from semasia.geometry import RowCache
from semasia.latents import Shard

Known = Summary | SemasiaError


def tile_rows(
    paths: Mapping[str, Path],
    first: Sequence[str],
    second: Sequence[str],
    *,
    rows: int | None,
    with_intervals: Collection[frozenset[str]] = (),
    cache: RowCache,
) -> list[dict[str, Any]]:
    """Compare every model of one group with every model of another, or of the same.

    Summaries of the first group are held, those of the second come one at a time; none is made for
    pairs that the cache holds.

    Parameters
    ----------
    paths : mapping of Path
        Shard of each model, all of one split.
    first, second : sequence of str
        Equal groups give every two of one.
    rows : int or None
        Of the anchor.
    with_intervals : collection of frozensets of two models
    cache : RowCache

    Returns
    -------
    list of dict
        The keys of :data:`semasia.comparison.similarity.SIMILARITY_COLUMNS`. A shard that cannot
        be used, or has other inputs than the first, is a note in the rows of its pairs.
    """
    logger = logging.getLogger(__name__)
    opened = {model: _opened(path) for model, path in paths.items()}
    usable = [shard for shard in opened.values() if isinstance(shard, Shard)]
    if not usable:
        return []
    reference = usable[0]
    anchor = Anchor.of(reference.ids, rows)
    known: dict[str, Any] = {
        "benchmark": reference.provenance["benchmark"]["name"],
        "split": reference.provenance["benchmark"]["split"],
        "anchor": anchor.key,
        "anchor_rows": anchor.rows,
    }

    def summarised(model: str) -> Known:
        shard = opened[model]
        if not isinstance(shard, Shard):
            return shard
        logger.info("summarising %s", model)
        try:
            paired_rows(reference, shard)
            return summarise(anchored_embeddings([shard], anchor)[0])
        except SemasiaError as error:
            return error

    found: list[dict[str, Any]] = []
    held: dict[str, Known] = {}
    for b in second:
        # In a group of its own every model meets those before it.
        others = first[: first.index(b)] if first == second else first
        other: dict[str, Known] = held if first == second else {}

        def made(a: str, b: str = b, other: dict[str, Known] = other) -> dict[str, Any]:
            for model, where in ((a, held), (b, other)):
                if model not in where:
                    where[model] = summarised(model)
            intervals = frozenset((a, b)) in with_intervals
            pair = known | {"model_a": a, "model_b": b}
            return {"rows": pair_rows(pair, held[a], other[b], intervals=intervals)}

        for a in others:
            shards = [opened[a], opened[b]]
            if all(isinstance(s, Shard) for s in shards):
                key = [s.provenance["embedding_sha256"] + s.provenance["run_key"] for s in shards]  # type: ignore[union-attr]
                key += [anchor.key, str(frozenset((a, b)) in with_intervals)]
                logger.info("comparing %s with %s", a, b)
                found += cache.get_or_make(key, lambda a=a: made(a))["rows"]
            else:
                found += made(a)["rows"]
    return found


def _opened(path: Path) -> Shard | SemasiaError:
    try:
        return Shard(path)
    except SemasiaError as error:
        return error
