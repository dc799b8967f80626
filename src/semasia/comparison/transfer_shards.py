"""Which models take part in a transfer: their shards, and rows for those that do not."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from semasia.comparison.compared import ComparedShards, check_splits, told
from semasia.comparison.transfer import TRANSFER_COLUMNS, ModelLatents, transfer_rows
from semasia.errors import SemasiaError
from semasia.geometry.labelled import class_labels
from semasia.inputs.cards import Probe
from semasia.rows import Rows


def rows_of_models(
    fit: Iterable[str | Path], score: Iterable[str | Path], probe: Probe | None
) -> Rows:
    """Carry the benchmark's probe from every model to every model.

    Parameters
    ----------
    fit, score : iterable of path
        ``…/MODEL/SPLIT.parquet`` of the training and of the test split.
    probe : Probe or None
        Which labels it predicts.

    Returns
    -------
    list of dict
        As :func:`semasia.comparison.transfer.transfer_rows`. A model whose shards cannot be used,
        or have other rows than most, is a note in the rows of its pairs. No row at all where there
        is no label to predict.
    """
    logger = logging.getLogger(__name__)
    splits = fitted, scored = ComparedShards(fit), ComparedShards(score)
    models = list(dict.fromkeys([*fitted.opened, *scored.opened]))
    known = {
        "benchmark": fitted.place["benchmark"],
        "fit_split": fitted.place["split"],
        "test_split": scored.place["split"],
    }
    labels: list[dict[str, np.ndarray]] = []
    columns = probe.labels if probe else ()
    try:
        labels = [class_labels(s.reference, probe) for s in splits if s.reference is not None]
    except SemasiaError as error:
        logger.warning("no labels to carry a probe over with: %s", error)
        return rows_without(dict.fromkeys(models, error), models, known)
    if not columns or not models or not all(c in found for found in labels for c in columns):
        logger.warning("no labels to carry a probe over with, or no model: the table is empty")
        return []
    latents, failed = usable(fitted, scored, models)
    rows = transfer_rows(latents, labels[0], labels[1], known=known) if latents else []
    return rows + rows_without(failed, models, known)


def usable(
    fit: ComparedShards, score: ComparedShards, models: Iterable[str]
) -> tuple[dict[str, ModelLatents], dict[str, SemasiaError]]:
    """Return the latents of models whose shards have the rows that most have, and why not.

    Returns
    -------
    dict of ModelLatents
    dict of SemasiaError
        Of the other models.
    """
    latents: dict[str, ModelLatents] = {}
    failed: dict[str, SemasiaError] = {}
    for model in models:
        try:
            check_splits(fit.shard(model), score.shard(model))
            latents[model] = ModelLatents(fit.embeddings(model), score.embeddings(model))
        except SemasiaError as error:
            failed[model] = error
    return latents, failed


def rows_without(
    failed: Mapping[str, SemasiaError], models: Iterable[str], known: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the rows of models that could not be read, with a note and no numbers.

    Parameters
    ----------
    failed : mapping of SemasiaError
    models : iterable of str
        All, those included.
    known : mapping of str
        As :func:`transfer_rows`.
    """
    everyone = list(models)
    empty: dict[str, Any] = dict.fromkeys(TRANSFER_COLUMNS) | dict(known)
    rows = []
    for home in everyone:
        for away in everyone:
            if why := told(failed, sorted({home, away})):
                kinds = ("own",) if home == away else ("zero_shot", "aligned")
                pair = empty | {"probe_model": home, "latents_model": away, "note": why}
                rows += [pair | {"kind": kind} for kind in kinds]
    return rows
