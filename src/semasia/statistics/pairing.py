"""Matched pairs of models that differ in one factor (Semasia, Appendix F and Table 2)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from semasia.registry import load_model_set
from semasia.registry.selection import read_registry
from semasia.statistics.conditions import (
    CONDITIONS,
    PAPER_BENCHMARKS,
    PAPER_OBSERVATIONS,
    VARIANTS,
)
from semasia.statistics.design import with_design
from semasia.statistics.rules import RULES, Rule

# Names, types and order of the columns of the table of contrasts.
COLUMNS = {
    "variant": pl.String,
    "condition": pl.String,
    "rule": pl.String,
    "control_model": pl.String,
    "treatment_model": pl.String,
    "family": pl.String,
    "control_parameters": pl.Int64,
    "treatment_parameters": pl.Int64,
    "control_resolution": pl.Int64,
    "treatment_resolution": pl.Int64,
    "preprocessing_differs": pl.Boolean,
    "remark": pl.String,
    "not_in_other_variant_because": pl.String,
}
_KEY = ("condition", "control_model", "treatment_model")


def contrasts(registry: pl.DataFrame, variants: Iterable[str] = VARIANTS) -> pl.DataFrame:
    """Return every pair of models that a rule makes, and why the other variant lacks it.

    Parameters
    ----------
    registry : DataFrame
        A registry table. Untrained models make no pairs.
    variants : iterable of str
        ``strict``, ``paper`` or both.

    Returns
    -------
    DataFrame
        The columns of :data:`COLUMNS`, sorted; within a condition and variant no pair comes twice,
        in either direction. ``remark`` says what a reader should know of a pair (equal parameters,
        a treatment with fewer parameters than its control).

    Raises
    ------
    StatisticsError
        If the table lacks a column or has a model twice.
    """
    models = with_design(registry)
    made = {rule.name: _pairs(models, rule) for rule in RULES}
    frames = [
        _explained(models, made[rule.name], rule, made)
        for rule in RULES
        if rule.variant in tuple(variants)
    ]
    together = pl.concat([pl.DataFrame(schema=COLUMNS), *frames])
    order = pl.col("condition").replace_strict({c: i for i, c in enumerate(CONDITIONS)})
    return together.sort(
        "variant", order, "control_model", "treatment_model", descending=[True, False, False, False]
    )


def differences(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs that only one variant has, with the reasons, of a table of both."""
    return pairs.filter(pl.col("not_in_other_variant_because").is_not_null())


def counts(pairs: pl.DataFrame) -> pl.DataFrame:
    """Count pairs beside the paper's N. Obs., which are pairs times four datasets (Table 2).

    Returns
    -------
    DataFrame
        ``condition``, ``strict``, ``paper`` (pairs), ``paper_shared`` (of the latter those that
        ``strict`` has too), ``table_2_pairs`` and ``table_2_observations``.
    """
    rows = []
    for condition in CONDITIONS:
        here = pairs.filter(pl.col("condition") == condition)
        of = {v: here.filter(pl.col("variant") == v) for v in VARIANTS}
        stated = PAPER_OBSERVATIONS[condition]
        rows.append(
            {
                "condition": condition,
                **{v: len(of[v]) for v in VARIANTS},
                "paper_shared": len(of["paper"].join(of["strict"], on=_KEY, how="semi")),
                "table_2_pairs": stated // len(PAPER_BENCHMARKS),
                "table_2_observations": stated,
            }
        )
    return pl.DataFrame(rows)


def _pairs(models: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    joined = models.filter(rule.control.models).join(
        models.filter(rule.treatment.models),
        on=list(rule.same),
        how="inner",
        suffix="_treatment",
        nulls_equal=True,
        coalesce=False,
    )
    return (
        joined.filter(pl.col("model_name") != pl.col("model_name_treatment"), *rule.between)
        .select(
            condition=pl.lit(rule.condition),
            control_model="model_name",
            treatment_model="model_name_treatment",
        )
        .unique()
    )


def _explained(
    models: pl.DataFrame, pairs: pl.DataFrame, rule: Rule, made: dict[str, pl.DataFrame]
) -> pl.DataFrame:
    (other,) = (r for r in RULES if r.condition == rule.condition and r.variant != rule.variant)
    wide = pairs.join(models, left_on="control_model", right_on="model_name", how="left").join(
        models, left_on="treatment_model", right_on="model_name", how="left", suffix="_treatment"
    )
    of_treatment = {c: f"{c}_treatment" for c in models.columns if c != "model_name"}
    back = {v: k for k, v in of_treatment.items()}
    as_treatment = wide.select(list(back)).rename(back).select(admitted=other.treatment.models)
    reasons = [
        _unless(other.control.models, f"the control is not {other.control.words}"),
        _unless(pl.lit(as_treatment["admitted"]), f"the treatment is not {other.treatment.words}"),
        *(_differing(column) for column in other.same),
        *(_unless(held, "not from smaller to larger by that rule") for held in other.between),
    ]
    parameters = "num_backbone_parameters"
    fewer = pl.col(f"{parameters}_treatment") < pl.col(parameters)
    equal = pl.col(f"{parameters}_treatment") == pl.col(parameters)
    scale = pl.lit(rule.condition == "model_scale")
    told = wide.with_columns(why=pl.concat_str(reasons, separator="; ", ignore_nulls=True)).join(
        made[other.name].with_columns(both=pl.lit(True)), on=_KEY, how="left"
    )
    return told.select(
        variant=pl.lit(rule.variant),
        condition="condition",
        rule=pl.lit(rule.name),
        control_model="control_model",
        treatment_model="treatment_model",
        family="family",
        control_parameters=parameters,
        treatment_parameters=f"{parameters}_treatment",
        control_resolution="input_resolution",
        treatment_resolution="input_resolution_treatment",
        preprocessing_differs=pl.col("input") != pl.col("input_treatment"),
        remark=pl.when(scale & fewer)
        .then(pl.lit("the treatment has fewer parameters"))
        .when(scale & equal)
        .then(pl.lit("equal parameters")),
        not_in_other_variant_because=pl.when(pl.col("both").is_null()).then("why"),
    )


def _unless(holds: pl.Expr, text: str) -> pl.Expr:
    return pl.when(~holds.fill_null(False)).then(pl.lit(text))


def _differing(column: str) -> pl.Expr:
    control, treatment = pl.col(column), pl.col(f"{column}_treatment")
    shown = [pl.coalesce(side.cast(pl.String), pl.lit("none")) for side in (control, treatment)]
    text = pl.concat_str(pl.lit(f"{column} "), shown[0], pl.lit(" ≠ "), shown[1])
    return pl.when(control.ne_missing(treatment)).then(text)


def contrasts_of_set(folder: Path, name: str = "semasia-v1") -> pl.DataFrame:
    """Return :func:`contrasts` of a model set over the built registry: the committed table.

    Parameters
    ----------
    folder : Path
        The repository's ``registry/``.
    name : str
        A model set under ``registry/models/``.

    Raises
    ------
    ConfigError, CardError
        If the built table or the set cannot be read.
    """
    names = list(load_model_set(name, folder / "models"))
    return contrasts(read_registry(folder).filter(pl.col("model_name").is_in(names)))
