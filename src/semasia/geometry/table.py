"""One row of the geometry table: the metrics of one shard."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from semasia.errors import DegenerateEmbeddingError, ProbeError, ShardError
from semasia.geometry.definitions import METRIC_DEFINITIONS
from semasia.geometry.further import FURTHER_METRICS, further_metrics_of
from semasia.geometry.labelled import (
    class_counts,
    class_labels,
    shard_facts,
    unreadable_rows,
    why_no_probe,
)
from semasia.geometry.metrics import METRICS, metrics_of, spectrum
from semasia.geometry.moments import moments
from semasia.geometry.probes.least_squares import fit_least_squares
from semasia.geometry.probes.scoring import Scored, scored_on
from semasia.inputs.cards import Probe
from semasia.latents import Shard
from semasia.rows import Opened, Part, ShardAnalysis

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


def geometry_analysis(probe: Probe | None, classes: Mapping[str, int]) -> ShardAnalysis:
    """Return the analysis whose rows are :func:`geometry_row` of each shard.

    A row is a function of the shards' values, of the probe, and of the recipe.
    """
    asked = [probe.model_dump() if probe else None, dict(classes)]

    def parts(shard: Shard, fit: Opened | None) -> list[Part]:
        known = [one.identity if isinstance(one, Shard) else None for one in (shard, fit)]
        return [Part([*known, *asked], lambda: [geometry_row(shard, probe, classes, fit)])]

    return ShardAnalysis(COLUMNS, parts, partial(unreadable_rows, COLUMNS))


def geometry_row(
    shard: Shard, probe: Probe | None, classes: Mapping[str, int], fit: Opened | None
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
    fit : Shard, SemasiaError or None
        The split the probe is fitted on, or why it cannot be used; None where it is not at hand.
        Metrics that need no probe are the same whatever it is.

    Returns
    -------
    dict
        The keys of :data:`COLUMNS`. Undefined values are None, and ``note`` says why.

    Raises
    ------
    ShardError
        If a shard's latents are damaged.
    """
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row.update(shard_facts(shard))
    notes = []
    labels = {}
    try:
        labels = class_labels(shard, probe)
    except ShardError as error:
        notes.append(f"class_separation: {error}")
    try:
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
    elif probe and isinstance(fit, Shard) and row["split"] == probe.score:
        try:
            row.update(_probe(shard, probe, classes, fit))
        except (DegenerateEmbeddingError, ProbeError) as error:
            notes.append(f"probe: {error}")
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
