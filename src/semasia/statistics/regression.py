"""The table of regressions: what each condition does to each metric (Semasia, 3.2 and F)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from semasia.statistics.conditions import CONDITIONS, VARIANTS
from semasia.statistics.estimation import KINDS, Design, Fit
from semasia.statistics.multiplicity import METHODS, q_values
from semasia.statistics.specifications import (
    SPECIFICATIONS,
    TREATMENT,
    design_of,
    joint_terms,
)
from semasia.statistics.stacking import (
    METRICS,
    analysed_rows,
    benchmarks_without_rows,
    complete,
    stacked,
)

LEVEL = 0.05
_NOTHING = "the geometry table has no value of this benchmark"

# Names, types and order of the table's columns.
COLUMNS: dict[str, Any] = {
    "variant": pl.String,
    "condition": pl.String,
    "metric": pl.String,
    "specification": pl.String,
    "benchmark": pl.String,
    "term": pl.String,
    "estimate": pl.Float64,
    "raw_estimate": pl.Float64,
    "sigma_control": pl.Float64,
    **{
        f"{what}_{kind}": pl.Float64
        for kind in KINDS
        for what in ("se", "low", "high", "statistic", "p", *(f"q_{m}" for m in METHODS))
    },
    "survives": pl.Boolean,
    "n_rows": pl.Int64,
    "n_pairs": pl.Int64,
    "n_models": pl.Int64,
    "n_networks": pl.Int64,
    "note": pl.String,
}


def regression_table(
    geometry: pl.DataFrame, contrasts: pl.DataFrame, benchmarks: Sequence[str] | None = None
) -> pl.DataFrame:
    """Regress every metric on every condition, in three specifications, for both variants.

    Parameters
    ----------
    geometry : DataFrame
        The geometry table.
    contrasts : DataFrame
        From :func:`semasia.statistics.pairing.contrasts`.
    benchmarks : sequence of str, optional
        Only these; all by default. Of one that has no row, or none with a value, a row per
        condition and metric says so, and so do the rows that would have included it.

    Returns
    -------
    DataFrame
        The columns of :data:`COLUMNS`. ``estimate``, standard errors and intervals (95 %) are in
        units of ``sigma_control``, the standard deviation of the metric over the control rows of
        all conditions and benchmarks of the variant; ``raw_estimate`` is in the metric's own. Rows
        of joint tests have a ``statistic`` and no estimate. q-values are over metrics × conditions
        within variant, specification, benchmark and term; ``survives`` says whether both
        Benjamini–Hochberg q-values of the clustered errors are at most 0.05. What cannot be
        estimated is null, and ``note`` says why.

    Raises
    ------
    StatisticsError
        If the geometry table lacks a column or has a row twice.
    """
    rows = analysed_rows(geometry, benchmarks)
    absent = benchmarks_without_rows(rows, benchmarks)
    rows = rows.filter(~pl.col("benchmark").is_in(absent))
    for name in absent:
        logging.getLogger(__name__).warning("%s: %s", name, _NOTHING)
    made: list[dict[str, Any]] = []
    for variant in VARIANTS:
        stacks = {
            condition: stacked(
                rows,
                contrasts.filter(pl.col("variant") == variant, pl.col("condition") == condition),
            )
            for condition in CONDITIONS
        }
        controls = pl.concat([s.filter(pl.col("treated") == 0) for s in stacks.values()])
        sigmas = {metric: controls[metric].std() for metric in METRICS}
        for condition, observations in stacks.items():
            key = {"variant": variant, "condition": condition}
            found = _condition_rows(observations, sigmas)
            made += [{**key, **row} for row in _with_absent(found, absent)]
    frame = pl.DataFrame(
        [{column: row.get(column) for column in COLUMNS} for row in made], schema=COLUMNS
    )
    return _with_q_values(frame)


def _with_absent(rows: Iterable[dict[str, Any]], absent: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield rows, those over all benchmarks saying which are left out, and rows of the latter."""
    left_out = f"without {', '.join(absent)}: {_NOTHING}" if absent else None
    for row in rows:
        if row["specification"] != "per_dataset":
            row["note"] = _joined([left_out, row["note"]])
        yield row
    for benchmark in absent:
        known = {"specification": "per_dataset", "benchmark": benchmark, "term": TREATMENT}
        for metric in METRICS:
            yield {"metric": metric, **known, "n_rows": 0, "note": _NOTHING}


def _condition_rows(observations: pl.DataFrame, sigmas: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if observations.is_empty():
        for metric in METRICS:
            yield {
                "metric": metric,
                "specification": "pooled",
                "term": TREATMENT,
                **_sizes(observations),
                "note": "no pair of this condition among these models",
            }
        return
    benchmarks = observations["benchmark"].unique().sort().to_list()
    yield from _specification_rows(observations, sigmas, "pooled", None)
    for benchmark in benchmarks:
        part = observations.filter(pl.col("benchmark") == benchmark)
        yield from _specification_rows(part, sigmas, "per_dataset", benchmark)
    if len(benchmarks) > 1:
        yield from _specification_rows(observations, sigmas, "interaction", benchmarks[0])


def _specification_rows(
    observations: pl.DataFrame,
    sigmas: dict[str, Any],
    specification: str,
    benchmark: str | None,
) -> Iterator[dict[str, Any]]:
    """Yield the rows of all metrics; those known for the same rows share one design."""
    assert specification in SPECIFICATIONS
    masks = {metric: complete(observations, metric) for metric in METRICS}
    designs: dict[bytes, tuple[pl.DataFrame, Design | None]] = {}
    for metric, mask in masks.items():
        if mask.tobytes() not in designs:
            kept = observations.filter(pl.Series(mask))
            design = (
                design_of(kept, interaction=specification == "interaction") if len(kept) else None
            )
            designs[mask.tobytes()] = (kept, design)
        kept, design = designs[mask.tobytes()]
        key = {"metric": metric, "specification": specification, "benchmark": benchmark}
        notes = []
        if len(kept) < len(observations):
            notes.append(f"{len(observations) - len(kept):,} of {len(observations):,} rows lack it")
        for row in _metric_rows(kept, design, metric, sigmas[metric]):
            told = "; ".join([*notes, *([row["note"]] if row["note"] else [])])
            yield {**key, **row, **_sizes(kept), "note": told or None}


def _metric_rows(
    kept: pl.DataFrame, design: Design | None, metric: str, sigma: float | None
) -> Iterator[dict[str, Any]]:
    nothing = {"term": TREATMENT, "sigma_control": sigma}
    if design is None:
        yield {**nothing, "note": "the metric is missing for every pair"}
        return
    y = kept[metric].to_numpy()
    if sigma is None or not sigma > 1e-12 * np.abs(y).max():
        yield {**nothing, "note": "the control group does not vary"}
        return
    if np.ptp(y) <= 1e-12 * np.abs(y).max():
        yield {**nothing, "note": "the metric does not vary"}
        return
    if not design.full_rank:
        n, k = design.X.shape
        yield {**nothing, "note": f"not identified: {n} rows for {k} coefficients"}
        return
    # Centred, so that a metric far from zero costs no precision; the intercept takes it up.
    fit = Fit(design, (y - y.mean()) / sigma)
    for term in (t for t in design.terms if t.startswith(TREATMENT)):
        estimate = float(fit.coefficients[design.terms.index(term)])
        row: dict[str, Any] = {
            "term": term,
            "estimate": estimate,
            "raw_estimate": estimate * sigma,
            "sigma_control": sigma,
        }
        found = {kind: fit.inference(term, kind) for kind in KINDS}
        for kind, one in found.items():
            row.update(
                {f"{what}_{kind}": getattr(one, what) for what in ("se", "low", "high", "p")}
            )
        yield {**row, "note": _joined(one.note for one in found.values())}
    for name, terms in joint_terms(design.terms).items():
        tests = {kind: fit.joint_test(terms, kind) for kind in KINDS}
        row = {"term": name, "note": _joined(one.note for one in tests.values())}
        for kind, one in tests.items():
            row.update({f"statistic_{kind}": one.statistic, f"p_{kind}": one.p})
        yield row


def _joined(notes: Any) -> str | None:
    return "; ".join(note for note in notes if note) or None


def _sizes(observations: pl.DataFrame) -> dict[str, int]:
    columns = {"n_pairs": "pair", "n_models": "model_name", "n_networks": "network"}
    sizes = {size: observations[column].n_unique() for size, column in columns.items()}
    return {"n_rows": len(observations), **sizes}


def _with_q_values(frame: pl.DataFrame) -> pl.DataFrame:
    numbered = frame.with_row_index("place")
    found = {f"q_{m}_{kind}": [None] * len(frame) for m in METHODS for kind in KINDS}
    families = numbered.group_by("variant", "specification", "benchmark", "term")
    for _, family in families:
        places = family["place"].to_list()
        for kind in KINDS:
            p_values = family[f"p_{kind}"].to_list()
            for method in METHODS:
                column: list[Any] = found[f"q_{method}_{kind}"]
                for place, q in zip(places, q_values(p_values, method), strict=True):
                    column[place] = q
    frame = frame.with_columns(pl.Series(k, v, dtype=pl.Float64) for k, v in found.items())
    clustered = [pl.col(f"q_bh_{kind}") for kind in KINDS if kind != "hc3"]
    effect = pl.col("estimate").is_not_null()
    all_known = pl.all_horizontal(q.is_not_null() for q in clustered)
    return frame.with_columns(
        survives=pl.when(effect & all_known).then(pl.max_horizontal(clustered) <= LEVEL)
    )
