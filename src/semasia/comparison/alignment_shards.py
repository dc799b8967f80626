"""The alignment of one pair of models, from their shards."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from semasia.comparison.alignment import ALIGNMENT_COLUMNS, alignment_rows
from semasia.comparison.compared import ComparedShards, check_splits, told
from semasia.comparison.labelled import compared_labels
from semasia.comparison.pairing import paired_rows
from semasia.errors import SemasiaError
from semasia.rows import Rows, key_of


def rows_of_pair(
    fit: tuple[Path, Path],
    score: tuple[Path, Path],
    *,
    together: Sequence[str],
    methods: Sequence[str],
    components: Sequence[int],
    few_rows: Sequence[int],
    prototype_rows: int | None = None,
) -> Rows:
    """Fit and score alignments of one model to another.

    Parameters
    ----------
    fit, score : pair of Path
        Of both models, ``…/MODEL/SPLIT.parquet`` of the training and of the test split.
    together : sequence of str
        Label columns of the benchmark's probe, as
        :func:`semasia.comparison.labelled.compared_labels`.
    methods : sequence of str
    components : sequence of int
        Those below the smaller width are taken, and that width.
    few_rows : sequence of int
        Numbers of training rows, those below all of them, and all.
    prototype_rows : int, optional
        Rows of a cluster that a prototype is the mean of; None: all.

    Returns
    -------
    list of dict
        As :func:`semasia.comparison.alignment.alignment_rows`. Where a shard cannot be used, or
        rows do not correspond, a row per method without values, whose note says why.
    """
    logger = logging.getLogger(__name__)
    models = [key_of(path).model for path in fit]
    splits = ComparedShards(fit), ComparedShards(score)
    known: dict[str, Any] = {
        "benchmark": splits[0].place["benchmark"],
        "fit_split": splits[0].place["split"],
        "test_split": splits[1].place["split"],
        "model_a": models[0],
        "model_b": models[1],
    }
    latents: dict[str, list[np.ndarray]] = {}
    failed: dict[str, SemasiaError] = {}
    for model in models:
        try:
            check_splits(splits[0].shard(model), splits[1].shard(model))
            latents[model] = [split.embeddings(model) for split in splits]
        except SemasiaError as error:
            logger.warning("%s cannot be used: %s", model, error)
            failed[model] = error
    why = told(failed, models)
    if why is None:
        (A_train, A_test), (B_train, B_test) = (latents[model] for model in models)
        try:
            (fit_a, fit_b), (score_a, score_b) = ([s.shard(m) for m in models] for s in splits)
            # Rows of a shard ascend by id: joined, they stand in the same order.
            ids = paired_rows(fit_a, fit_b).ids
            paired_rows(score_a, score_b)
            widest = min(fit_a.width, fit_b.width)
            return alignment_rows(
                A_train,
                B_train,
                A_test,
                B_test,
                compared_labels(fit_b, together),
                compared_labels(score_b, together),
                ids,
                ks=[k for k in components if k < widest] + [widest],
                methods=methods,
                pairs=[n for n in few_rows if n < len(ids)] + [len(ids)],
                samples=prototype_rows,
                known=known,
            )
        except SemasiaError as error:
            logger.warning("%s cannot be aligned with %s: %s", *models, error, exc_info=True)
            why = str(error)
    empty: dict[str, Any] = dict.fromkeys(ALIGNMENT_COLUMNS) | known
    return [empty | {"method": method, "note": why} for method in methods]
