"""One row of the geometry table: the fourteen metrics of one shard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from semasia.errors import DegenerateEmbeddingError
from semasia.geometry.cache import RowCache
from semasia.geometry.definitions import METRIC_DEFINITIONS
from semasia.geometry.metrics import METRICS, metrics_of
from semasia.geometry.moments import Moments, moments
from semasia.geometry.probe import accuracy_interval, confusion, fit_least_squares, scores
from semasia.inputs.cards import Probe
from semasia.latents import Shard

PROBE_METRICS = tuple(m for m in METRIC_DEFINITIONS if m.startswith("probe_"))

# Names and order of the table's columns, with what each holds.
COLUMNS: dict[str, type] = {
    "benchmark": str,
    "split": str,
    "model_name": str,
    "untrained": bool,
    "rows": int,
    "source_rows": int,
    "latent_dim": int,
    **dict.fromkeys((*METRICS, *PROBE_METRICS), float),
    "n_components_90": int,
    "probe_accuracy_low": float,
    "probe_accuracy_high": float,
    "probe_fit_split": str,
    "probe_fit_rows": int,
    "probe_ridge": float,
    "note": str,
}


def cached_geometry_row(
    cache: RowCache,
    path: Path,
    probe: Probe | None,
    classes: Mapping[str, int],
    fit: Path | None,
) -> dict[str, Any]:
    """Return :func:`geometry_row` of a shard's file, from the cache where it holds it.

    A row is a function of the shards' values, of the probe, and of the recipe.
    """
    shard = Shard(path)
    fitted_on = Shard(fit) if fit else None
    key = [
        s.provenance["embedding_sha256"] + s.provenance["run_key"] if s else None
        for s in (shard, fitted_on)
    ]
    asked = [probe.model_dump() if probe else None, dict(classes)]
    return cache.get_or_make([*key, *asked], lambda: geometry_row(shard, probe, classes, fitted_on))


def unreadable_row(benchmark: str, split: str, model: str, error: Exception) -> dict[str, Any]:
    """Return the row of a shard that cannot be measured: nulls, and a note that says why."""
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row.update(benchmark=benchmark, split=split, model_name=model, note=f"shard: {error}")
    return row


def geometry_row(
    shard: Shard, probe: Probe | None, classes: Mapping[str, int], fit: Shard | None
) -> dict[str, Any]:
    """Measure one shard.

    Parameters
    ----------
    shard : Shard
        The split to measure.
    probe : Probe or None
        Which split is fitted, which is scored, and on which labels.
    classes : mapping
        Classes that the benchmark's card states for each label column.
    fit : Shard or None
        The split the probe is fitted on; None where it is not at hand.

    Returns
    -------
    dict
        The keys of :data:`COLUMNS`. Undefined values are None, and ``note`` says why.
    """
    known = shard.provenance["benchmark"]
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row.update(
        benchmark=known["name"],
        split=known["split"],
        model_name=shard.model_name,
        untrained=shard.provenance["encoder"]["untrained"],
        rows=shard.rows,
        source_rows=known["source_rows"],
        latent_dim=shard.width,
    )
    notes = []
    try:
        row.update(metrics_of(moments(shard.blocks()), shard.blocks))
    except DegenerateEmbeddingError as error:
        notes.append(f"metrics: {error}")
    scored, note = _probe(shard, probe, classes, fit)
    row.update(scored)
    if note:
        notes.append(f"probe: {note}")
    row["note"] = " ".join(notes) or None
    return row


def _probe(
    shard: Shard, wanted: Probe | None, classes: Mapping[str, int], fit: Shard | None
) -> tuple[dict[str, Any], str | None]:
    if wanted is None:
        return {}, "the benchmark's card names none."
    if shard.provenance["benchmark"]["split"] != wanted.score:
        return {}, None
    if fit is None:
        return {}, f"no latents of split {wanted.fit!r} to fit it on."
    labels = {c: shard.labels[c] for c in wanted.labels}
    fitted_on = {c: fit.labels[c] for c in wanted.labels}
    sizes = {
        c: max(classes[c], *(int(v.max(initial=-1)) + 1 for v in (fitted_on[c], labels[c])))
        for c in labels
    }
    if any(v.min() < 0 for v in (*labels.values(), *fitted_on.values())):
        return {}, "labels are absent (−1)."
    known: Moments = moments(fit.blocks(), fitted_on, sizes)
    probe = fit_least_squares(known)
    matrices = confusion(probe, shard.blocks(), labels)
    each = [scores(m) for m in matrices.values()]
    row: dict[str, Any] = {m: float(np.mean([s[m] for s in each])) for m in PROBE_METRICS}
    if len(matrices) == 1:
        low, high = accuracy_interval(next(iter(matrices.values())))
        row.update(probe_accuracy_low=low, probe_accuracy_high=high)
    row.update(probe_fit_split=wanted.fit, probe_fit_rows=known.n, probe_ridge=probe.ridge)
    return row, None
