"""One row of the geometry table: the metrics of one shard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semasia.errors import DegenerateEmbeddingError
from semasia.geometry.cache import RowCache
from semasia.geometry.definitions import METRIC_DEFINITIONS
from semasia.geometry.further import FURTHER_METRICS, further_metrics_of
from semasia.geometry.labelled import class_counts, class_labels, shard_facts, why_no_probe
from semasia.geometry.metrics import METRICS, metrics_of, spectrum
from semasia.geometry.moments import moments
from semasia.geometry.probes.least_squares import fit_least_squares
from semasia.geometry.probes.scoring import Scored, scored_on
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
    **dict.fromkeys((*METRICS, *FURTHER_METRICS, *PROBE_METRICS), float),
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
    key = [s.identity if s else None for s in (shard, fitted_on)]
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
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row.update(shard_facts(shard))
    notes = []
    try:
        labels = class_labels(shard, probe)
        sizes = class_counts(classes, labels)
        summed = moments(shard.blocks(), labels, sizes)
        eigenvalues = spectrum(summed)
        row.update(metrics_of(summed, eigenvalues, shard.blocks))
        further, remarks = further_metrics_of(summed, eigenvalues, shard.blocks)
        row.update(further)
        notes += remarks
    except DegenerateEmbeddingError as error:
        notes.append(f"metrics: {error}")
    note = why_no_probe(shard, probe, fit)
    # A split that is not the scored one has no probe, which is no defect to remark on.
    if note:
        notes.append(f"probe: {note}")
    elif probe and fit and row["split"] == probe.score:
        row.update(_probe(shard, probe, classes, fit))
    row["note"] = " ".join(notes) or None
    return row


def _probe(shard: Shard, wanted: Probe, classes: Mapping[str, int], fit: Shard) -> dict[str, Any]:
    labels, fitted_on = ({c: s.labels[c] for c in wanted.labels} for s in (shard, fit))
    sizes = class_counts(classes, fitted_on, labels)
    known = moments(fit.blocks(), fitted_on, sizes)
    probe = fit_least_squares(known)
    scored: Scored = scored_on(probe, shard.blocks(), labels)
    low, high = scored.interval()
    row: dict[str, Any] = {f"probe_{name}": value for name, value in scored.means().items()}
    row = {name: row[name] for name in PROBE_METRICS}
    row.update(probe_accuracy_low=low, probe_accuracy_high=high)
    row.update(probe_fit_split=wanted.fit, probe_fit_rows=known.n, probe_ridge=probe.ridge)
    return row
