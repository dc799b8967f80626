"""Estimates and errors against statsmodels and plain refits; the table's edge cases."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from semasia.errors import StatisticsError
from semasia.statistics.estimation import KINDS, Design, Fit
from semasia.statistics.multiplicity import q_values
from semasia.statistics.regression import COLUMNS, regression_table
from semasia.statistics.specifications import FAMILIES, design_of, joint_terms
from semasia.statistics.stacking import METRICS, analysed_rows, stacked

MODELS = [f"net{i}.{tag}" for i in range(12) for tag in ("plain", "rich", "richer")]


def some_pairs(condition: str = "specialization") -> pl.DataFrame:
    """Return pairs in which models recur, in three families."""
    rows = [
        (f"net{i}.plain", f"net{i}.{tag}", f"family{i % 3}")
        for i in range(12)
        for tag in (("rich", "richer") if i % 2 else ("rich",))
    ]
    names = ["control_model", "treatment_model", "family"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return frame.with_columns(variant=pl.lit("strict"), condition=pl.lit(condition))


@pytest.fixture
def observations(geometry_of: Callable[..., pl.DataFrame]) -> pl.DataFrame:
    return stacked(analysed_rows(geometry_of(MODELS, ("a", "b", "c"))), some_pairs())


def test_hc3_and_joint_tests_equal_statsmodels(observations: pl.DataFrame) -> None:
    ours = Fit(design_of(observations), observations["density"].to_numpy())
    theirs = smf.ols("density ~ treated + C(benchmark) + C(family)", observations.to_pandas()).fit(
        cov_type="HC3"
    )
    found = ours.inference("treatment", "hc3")
    interval = theirs.conf_int().loc["treated"]
    assert ours.coefficients[1] == pytest.approx(theirs.params["treated"], rel=1e-9)
    assert found.se == pytest.approx(theirs.bse["treated"], rel=1e-9)
    assert (found.low, found.high) == pytest.approx(tuple(interval), rel=1e-9)
    assert found.p == pytest.approx(theirs.pvalues["treated"], rel=1e-8)
    for name, factor in (("dataset fixed effects", "benchmark"), (FAMILIES, "family")):
        terms = joint_terms(ours.design.terms)[name]
        wald = theirs.f_test([f"{t} = 0" for t in theirs.params.index if f"C({factor})" in t])
        test = ours.joint_test(terms, "hc3")
        assert test.statistic == pytest.approx(float(wald.fvalue), rel=1e-8)
        assert test.p == pytest.approx(float(wald.pvalue), rel=1e-6)


@pytest.mark.parametrize("kind", ["by_model", "by_network"])
def test_clustered_errors_equal_refits_without_each_cluster(
    observations: pl.DataFrame, kind: str
) -> None:
    design = design_of(observations)
    y = observations["isotropy"].to_numpy()
    whole = sm.OLS(y, design.X).fit().params
    codes = design.clusters[kind]
    changes = []
    for group in np.unique(codes):
        kept = codes != group
        changes.append(sm.OLS(y[kept], design.X[kept]).fit().params - whole)
    groups = len(changes)
    expected = (groups - 1) / groups * sum(np.outer(c, c) for c in changes)
    found = design.jackknives[kind].covariance(Fit(design, y).residuals)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-12)


def test_one_row_clusters_make_the_jackknife_hc3(rng: np.random.Generator) -> None:
    X = np.column_stack([np.ones(30), rng.normal(size=(30, 2))])
    design = Design(X, ["intercept", "a", "b"], {"by_model": np.arange(30)})
    fit = Fit(design, rng.normal(size=30))
    jackknife = fit.inference("a", "by_model").se or 0.0
    hc3 = fit.inference("a", "hc3").se or 0.0
    # CV3 is HC3 times (n − 1)/n (MacKinnon & White, 1985).
    assert jackknife == pytest.approx(hc3 * np.sqrt(29 / 30), rel=1e-9)


def test_the_effect_is_the_mean_difference_within_pairs(observations: pl.DataFrame) -> None:
    fit = Fit(design_of(observations), observations["evr_1"].to_numpy())
    treated = observations.filter(pl.col("treated") == 1)["evr_1"]
    controls = observations.filter(pl.col("treated") == 0)["evr_1"]
    assert fit.coefficients[1] == pytest.approx((treated - controls).mean())


def test_stacking_pairs_twice_leaves_clustered_errors_alone(observations: pl.DataFrame) -> None:
    doubled = pl.concat([observations, observations.with_columns(pair=pl.col("pair") + 1000)])
    once, twice = (
        Fit(design_of(o), o["density"].to_numpy()).inference("treatment", k)
        for o, k in ((observations, "by_model"), (doubled, "by_model"))
    )
    assert once.se == pytest.approx(twice.se)
    hc3 = [
        Fit(design_of(o), o["density"].to_numpy()).inference("treatment", "hc3").se or 0
        for o in (observations, doubled)
    ]
    assert hc3[1] < 0.75 * hc3[0]


def test_scale_and_shift_of_a_metric_change_nothing_in_sigma_units(
    geometry_of: Callable[..., pl.DataFrame],
) -> None:
    frame = geometry_of(MODELS)
    moved = frame.with_columns(pl.col("density") * 1e6 + 1e8)
    tables = [regression_table(f, some_pairs()).filter(metric="density") for f in (frame, moved)]
    for column in ("estimate", "se_hc3", "se_by_model", "p_by_network"):
        first, second = (t.filter(pl.col("estimate").is_not_null())[column] for t in tables)
        np.testing.assert_allclose(first.to_numpy(), second.to_numpy(), rtol=1e-5)


def test_sigma_is_that_of_control_rows_of_all_conditions(
    geometry_of: Callable[..., pl.DataFrame],
) -> None:
    frame = geometry_of(MODELS)
    pairs = pl.concat([some_pairs(), some_pairs("augmentation").head(4)])
    table = regression_table(frame, pairs)
    rows = analysed_rows(frame)
    controls = pl.concat(
        stacked(rows, part).filter(treated=0)
        for part in (some_pairs(), some_pairs("augmentation").head(4))
    )
    row = pooled(table)
    assert row["sigma_control"] == pytest.approx(
        float(np.std(controls["density"].to_numpy(), ddof=1))
    )
    assert row["raw_estimate"] == pytest.approx(row["estimate"] * row["sigma_control"])


def test_interactions_are_all_kept_and_add_up(geometry_of: Callable[..., pl.DataFrame]) -> None:
    table = regression_table(geometry_of(MODELS, ("a", "b", "c")), some_pairs())
    part = table.filter(metric="isotropy", condition="specialization")
    inter = dict(part.filter(specification="interaction").select("term", "estimate").rows())
    alone = dict(
        part.filter(specification="per_dataset", term="treatment")
        .select("benchmark", "estimate")
        .rows()
    )
    assert {"treatment", "treatment × b", "treatment × c", "treatment × dataset"} <= set(inter)
    assert inter["treatment"] == pytest.approx(alone["a"])
    assert inter["treatment"] + inter["treatment × c"] == pytest.approx(alone["c"])


def test_q_values_equal_their_definitions(rng: np.random.Generator) -> None:
    p = rng.uniform(size=20) ** 3
    order = np.argsort(p)
    ranks = np.arange(1, 21)
    stepped = np.minimum.accumulate((p[order] * 20 / ranks)[::-1])[::-1]
    expected = np.empty(20)
    expected[order] = np.minimum(stepped, 1)
    given = [*p.tolist(), None]
    assert q_values(given, "bh")[-1] is None
    np.testing.assert_allclose(q_values(given, "bh")[:-1], expected)
    harmonic = (1 / ranks).sum()
    stepped = np.minimum.accumulate((p[order] * 20 * harmonic / ranks)[::-1])[::-1]
    expected[order] = np.minimum(stepped, 1)
    np.testing.assert_allclose(q_values(given, "by")[:-1], expected)


def pooled(table: pl.DataFrame, metric: str = "density") -> dict:
    return table.filter(
        metric=metric,
        condition="specialization",
        variant="strict",
        specification="pooled",
        term="treatment",
    ).row(0, named=True)


def test_no_pair_is_told(geometry_of: Callable[..., pl.DataFrame]) -> None:
    table = regression_table(geometry_of(["other.model"]), some_pairs())
    assert len(table) == 2 * 5 * len(METRICS)
    assert set(table["note"]) == {"no pair of this condition among these models"}
    assert table["estimate"].null_count() == len(table)
    assert table.columns == list(COLUMNS)


def test_one_pair_has_no_clustered_error(geometry_of: Callable[..., pl.DataFrame]) -> None:
    row = pooled(regression_table(geometry_of(MODELS, ("a", "b", "c")), some_pairs().head(1)))
    assert row["estimate"] is not None
    assert row["se_by_model"] is None and row["se_by_network"] is None
    assert row["survives"] is None
    assert "without one of the 2 clusters the effect is not identified" in row["note"]


def test_constant_and_missing_metrics_are_told(geometry_of: Callable[..., pl.DataFrame]) -> None:
    frame = geometry_of(MODELS, density=pl.lit(3.0), evr_1=pl.lit(None, dtype=pl.Float64))
    table = regression_table(frame, some_pairs())
    assert pooled(table)["note"] == "the control group does not vary"
    assert pooled(table, "evr_1")["note"].endswith("the metric is missing for every pair")
    assert pooled(table)["estimate"] is None


def test_infinite_values_drop_whole_pairs(geometry_of: Callable[..., pl.DataFrame]) -> None:
    broken = pl.when(pl.col("model_name") == "net0.rich").then(np.inf).otherwise("density")
    row = pooled(regression_table(geometry_of(MODELS, density=broken), some_pairs()))
    assert row["n_pairs"] == len(some_pairs()) - 1
    assert row["note"].startswith("4 of 72 rows lack it")


def test_too_few_rows_are_told(geometry_of: Callable[..., pl.DataFrame]) -> None:
    pairs = pl.concat([some_pairs().head(1), some_pairs("augmentation")])
    row = pooled(regression_table(geometry_of(MODELS, ("a",)), pairs))
    assert row["note"] == "not identified: 2 rows for 2 coefficients"
    assert all(row[f"se_{kind}"] is None for kind in KINDS)


def test_the_scored_split_is_analysed(geometry_of: Callable[..., pl.DataFrame]) -> None:
    frame = geometry_of(MODELS)
    train = frame.with_columns(split=pl.lit("train"), rows=999, probe_accuracy=None)
    train = train.with_columns(pl.col("rows").cast(frame["rows"].dtype)).cast(frame.schema)
    assert set(analysed_rows(pl.concat([train, frame]))["split"]) == {"test"}


def test_errors_name_what_is_wrong(geometry_of: Callable[..., pl.DataFrame]) -> None:
    frame = geometry_of(MODELS)
    with pytest.raises(StatisticsError, match="column 'evr_3' is missing"):
        analysed_rows(frame.drop("evr_3"))
    with pytest.raises(StatisticsError, match=r"a/test/net0\.plain is there more than once"):
        analysed_rows(pl.concat([frame, frame.head(1)]))


@pytest.mark.parametrize("damaged", [False, True], ids=["absent", "without values"])
def test_a_benchmark_that_cannot_be_had_is_named_and_takes_nothing_from_others(
    geometry_of: Callable[..., pl.DataFrame], caplog: pytest.LogCaptureFixture, damaged: bool
) -> None:
    frame = geometry_of(MODELS, ("a", "b"))
    plain = regression_table(frame, some_pairs(), ["a", "b"])
    kept = ["benchmark", "split", "model_name"]
    lost = frame.filter(pl.col("benchmark") == "a").with_columns(benchmark=pl.lit("lost"))
    lost = lost.with_columns(
        pl.lit(None).cast(lost[c].dtype).alias(c) for c in lost.columns if c not in kept
    )
    found = regression_table(
        pl.concat([frame, lost]) if damaged else frame, some_pairs(), ["a", "b", "lost"]
    )
    told = found.filter(pl.col("benchmark") == "lost")
    assert set(told["metric"]) == set(METRICS)
    assert set(told["note"]) == {"the geometry table has no value of this benchmark"}
    others = found.filter(pl.col("benchmark").ne_missing("lost"))
    assert others.drop("note").equals(plain.drop("note"))
    over_all = others.filter(pl.col("specification") != "per_dataset")
    assert over_all["note"].str.starts_with("without lost: the geometry table has no").all()
    assert "lost: the geometry table has no value" in caplog.text
