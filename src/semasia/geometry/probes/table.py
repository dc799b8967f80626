"""Rows of the probes table: four probes of one shard, each with how it was made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from semasia.errors import DegenerateEmbeddingError, ProbeError
from semasia.geometry.labelled import class_counts, shard_facts, unreadable_rows, why_no_probe
from semasia.geometry.moments import moments
from semasia.geometry.probes.fitting import FOLDS, SEED, LogisticProbe, fit_strong, fit_weak
from semasia.geometry.probes.intervals import difference_interval
from semasia.geometry.probes.least_squares import RIDGE, fit_least_squares
from semasia.geometry.probes.linear import LinearProbe
from semasia.geometry.probes.scoring import Scored, scored_on, unseen_classes
from semasia.geometry.probes.unregularised import fit_unregularised
from semasia.inputs.cards import Probe
from semasia.latents import Shard
from semasia.rows import Opened, Part, Rows, ShardAnalysis

# Names and order of the table's columns, with what each holds.
PROBE_COLUMNS: dict[str, type] = {
    "benchmark": str,
    "split": str,
    "model_name": str,
    "untrained": bool,
    "probe": str,
    "fit_split": str,
    "fit_rows": int,
    "test_rows": int,
    "label_columns": int,
    "classes": int,
    "regularisation": str,
    "chosen_by": str,
    "seed": int,
    "accuracy": float,
    "low": float,
    "high": float,
    "balanced_accuracy": float,
    "precision": float,
    "f1": float,
    "majority_accuracy": float,
    "over_weak": float,
    "over_weak_low": float,
    "over_weak_high": float,
    "note": str,
}
# `paper`: as published, beside the others; see unregularised.
PROBES = ("least_squares", "weak", "strong", "paper")


def probe_analysis(probe: Probe | None, classes: Mapping[str, int]) -> ShardAnalysis:
    """Return the analysis whose rows are :func:`probe_rows` of each shard."""
    asked = ["probes", probe.model_dump() if probe else None, dict(classes)]

    def parts(shard: Shard, fit: Opened | None) -> list[Part]:
        known = [one.identity if isinstance(one, Shard) else None for one in (shard, fit)]
        return [Part([*known, *asked], lambda: probe_rows(shard, probe, classes, fit))]

    return ShardAnalysis(PROBE_COLUMNS, parts, partial(unreadable_rows, PROBE_COLUMNS))


def probe_rows(
    shard: Shard, probe: Probe | None, classes: Mapping[str, int], fit: Opened | None
) -> Rows:
    """Fit and score the probes of one shard.

    Parameters
    ----------
    shard : Shard
        The split to score.
    probe : Probe or None
        Which split is fitted, which is scored, and on which labels.
    classes : mapping
        Classes that the benchmark's card states for each label column.
    fit : Shard, SemasiaError or None
        The split the probes are fitted on, or why it cannot be used; None where it is not at hand.

    Returns
    -------
    list of dict
        A row per probe with the keys of :data:`PROBE_COLUMNS`; one row without a probe, whose note
        says why, where there is none; no row for a split that is not the scored one.
    """
    facts = shard_facts(shard)
    known = {c: facts[c] for c in ("benchmark", "split", "model_name", "untrained")}
    empty: dict[str, Any] = dict.fromkeys(PROBE_COLUMNS) | known
    reason = why_no_probe(shard, probe, fit)
    if reason is not None:
        return [empty | {"test_rows": shard.rows, "note": reason}]
    if probe is None or not isinstance(fit, Shard) or known["split"] != probe.score:
        return []
    labels, fitted_on = ({c: s.labels[c] for c in probe.labels} for s in (shard, fit))
    sizes = class_counts(classes, fitted_on, labels)
    Z = fit.embeddings()
    summed = moments([Z], fitted_on, sizes)
    fits: dict[str, Callable[[], LinearProbe]] = {
        "least_squares": lambda: fit_least_squares(summed),
        "paper": lambda: fit_unregularised(summed),
        "weak": lambda: fit_weak(Z, fitted_on, sizes, fit.ids),
        "strong": lambda: fit_strong(Z, fitted_on, sizes),
    }
    shared = empty | {
        "fit_split": probe.fit,
        "test_rows": shard.rows,
        "label_columns": len(labels),
        "classes": max(sizes.values()),
        "majority_accuracy": majority_accuracy(fitted_on, labels),
    }
    rows, weak = [], None
    unseen = unseen_classes(fitted_on, labels)
    for name in PROBES:
        try:
            fitted = fits[name]()
        except (ProbeError, DegenerateEmbeddingError) as error:
            rows.append(shared | {"probe": name, "note": f"{name}: {error}"})
            continue
        scored = scored_on(fitted, shard.blocks(), labels)
        row = shared | {"probe": name, "fit_rows": fitted.rows} | _scores(scored)
        row |= _made_by(name, fitted)
        row["note"] = " ".join(filter(None, (unseen, row["note"]))) or None
        if name == "weak":
            weak = scored
        if name == "strong" and weak is not None:
            gain = scored.hits - weak.hits
            low, high = difference_interval(gain, len(labels))
            row |= {
                "over_weak": float(gain.mean() / len(labels)),
                "over_weak_low": low,
                "over_weak_high": high,
            }
        rows.append(row)
    return rows


def majority_accuracy(
    fitted_on: Mapping[str, np.ndarray], labels: Mapping[str, np.ndarray]
) -> float:
    """Accuracy of always predicting the class most frequent in the fit split, mean of columns."""
    each = []
    for column, values in labels.items():
        found, counts = np.unique(fitted_on[column], return_counts=True)
        each.append(np.mean(values == found[counts.argmax()]))
    return float(np.mean(each))


def _scores(scored: Scored) -> dict[str, Any]:
    means = scored.means()
    low, high = scored.interval()
    return {
        "accuracy": means["accuracy"],
        "low": low,
        "high": high,
        "balanced_accuracy": means["recall"],
        "precision": means["precision"],
        "f1": means["f1"],
    }


def _made_by(name: str, fitted: LinearProbe) -> dict[str, Any]:
    if name == "paper":
        note = (
            "paper: least squares without intercept or ridge, as published; with about as many "
            "rows as dimensions it fits noise."
        )
        return {
            "regularisation": "none",
            "chosen_by": "the paper's published analysis",
            "note": note,
        }
    if not isinstance(fitted, LogisticProbe):
        ridge = getattr(fitted, "ridge", 0.0)
        how = f"fixed at {RIDGE} · total spread / rows"
        return {"regularisation": f"ridge = {ridge:.4g}", "chosen_by": how}
    found = sorted(set(fitted.C.values()))
    values = f"C = {found[0]:.4g}" + (f" to {found[-1]:.4g}" if len(found) > 1 else "")
    if name == "weak":
        return {"regularisation": values, "chosen_by": "fixed"}
    note = None
    if fitted.at_edge:
        columns = ", ".join(fitted.at_edge)
        note = f"C is at the edge of the grid for {columns}."
    how = f"{FOLDS}-fold stratified cross-validation of accuracy"
    return {"regularisation": values, "chosen_by": how, "seed": SEED, "note": note}
