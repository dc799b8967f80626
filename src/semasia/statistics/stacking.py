"""The observations of the regressions: control and treatment rows of every pair and benchmark."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from semasia.errors import StatisticsError
from semasia.geometry import METRIC_DEFINITIONS

METRICS = tuple(METRIC_DEFINITIONS)
_KEYS = ("benchmark", "split", "model_name")


def analysed_rows(geometry: pl.DataFrame, benchmarks: Sequence[str] | None = None) -> pl.DataFrame:
    """Return one row per benchmark and model: that of the split whose probe is scored.

    Where no split of a benchmark is scored it is the one with the most rows, then the first by
    name. Untrained models are left out.

    Parameters
    ----------
    geometry : DataFrame
        The geometry table.
    benchmarks : sequence of str, optional
        Only these; all by default. One that is not there has no rows.

    Raises
    ------
    StatisticsError
        If a key column is missing or a row comes twice.
    """
    missing = [c for c in (*_KEYS, *METRICS) if c not in geometry.columns]
    if missing:
        raise StatisticsError(
            f"geometry table: column {missing[0]!r} is missing; make it with the rule "
            "`geometry_table`."
        )
    twice = geometry.filter(pl.struct(_KEYS).is_duplicated())
    if len(twice):
        found = "/".join(twice.select(_KEYS).row(0))
        raise StatisticsError(
            f"geometry table: {found} is there more than once; regressions need one row per "
            "benchmark, split and model."
        )
    if benchmarks is not None:
        geometry = geometry.filter(pl.col("benchmark").is_in(list(benchmarks)))
    rows = pl.col("rows") if "rows" in geometry.columns else pl.lit(0)
    best = (
        geometry.group_by("benchmark", "split")
        .agg(scored=pl.col("probe_accuracy").is_not_null().any(), most=rows.max())
        .sort("scored", "most", "split", descending=[True, True, False], nulls_last=True)
        .unique("benchmark", keep="first", maintain_order=True)
    )
    chosen = geometry.join(best.select("benchmark", "split"), on=["benchmark", "split"], how="semi")
    if "untrained" in chosen.columns:
        chosen = chosen.filter(~pl.col("untrained").fill_null(False))
    return chosen.with_columns(
        pl.when(pl.col(m).cast(pl.Float64).is_finite()).then(pl.col(m).cast(pl.Float64)).alias(m)
        for m in METRICS
    ).sort("benchmark", "model_name")


def benchmarks_without_rows(rows: pl.DataFrame, benchmarks: Sequence[str] | None) -> list[str]:
    """Return the benchmarks asked for of which no row of :func:`analysed_rows` has a metric."""
    measured = rows.filter(pl.any_horizontal(pl.col(m).is_not_null() for m in METRICS))
    asked = rows["benchmark"].unique() if benchmarks is None else benchmarks
    return sorted({*asked} - {*measured["benchmark"]})


def stacked(rows: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return two rows for every pair and benchmark: the control, then the treatment.

    A model that is in several pairs is there several times, as in the paper; errors clustered by
    model take that into account.

    Parameters
    ----------
    rows : DataFrame
        From :func:`analysed_rows`.
    pairs : DataFrame
        Contrasts of one variant and condition: ``control_model``, ``treatment_model``, ``family``.

    Returns
    -------
    DataFrame
        ``pair`` (int), ``treated`` (0 or 1), ``benchmark``, ``family``, ``model_name``, ``network``
        (the identifier before its first dot) and the metrics. A pair is left out of a benchmark
        that lacks one of its models.
    """
    numbered = pairs.select(
        pl.int_range(pl.len()).alias("pair"), "control_model", "treatment_model", "family"
    )
    sides = [
        numbered.select("pair", "family", model_name=column).with_columns(
            treated=pl.lit(role, dtype=pl.Int8)
        )
        for role, column in enumerate(("control_model", "treatment_model"))
    ]
    measured = rows.select("benchmark", "model_name", *METRICS)
    return (
        pl.concat(sides)
        .join(measured, on="model_name", how="inner")
        .filter(pl.len().over("pair", "benchmark") == 2)
        .with_columns(network=pl.col("model_name").str.split(".").list.first())
        .sort("pair", "benchmark", "treated")
    )


def complete(observations: pl.DataFrame, metric: str) -> np.ndarray:
    """Return (n,) bool: whether both rows of a pair and benchmark have this metric."""
    return (
        observations.select(pl.col(metric).is_not_null().all().over("pair", "benchmark"))
        .to_series()
        .to_numpy()
    )
