"""Likelihood ratios against statsmodels; separation is found, and said."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy import stats

from semasia.errors import StatisticsError
from semasia.statistics import likelihood_ratio_table
from semasia.statistics.likelihood_ratio import PAPER_STATISTICS, PREDICTORS
from semasia.statistics.multinomial import is_separated
from semasia.statistics.resampling import log_likelihoods, permuted_statistics

FAMILIES = ("Convolutional", "Vision Transformer", "MetaFormer")


def tables(rng: np.random.Generator, shift: float, count: int = 240) -> tuple:
    """Return graphs and registry of models whose diameter tells families apart by ``shift``."""
    names = [f"model{i}.tag" for i in range(count)]
    classes = np.arange(count) % len(FAMILIES)
    values = {p: rng.normal(size=count) for p in PREDICTORS}
    values["diameter"] = values["diameter"] + shift * classes
    width = values.pop("latent_dim"), values.pop("num_parameters")
    registry = pl.DataFrame(
        {
            "model_name": names,
            "macro_family": [FAMILIES[c] for c in classes],
            "latent_dim": width[0],
            "num_parameters": width[1],
            "untrained": False,
        }
    )
    return pl.DataFrame(
        {"benchmark": "cifar10", "split": "test", "recipe": "own", "model_name": names, **values}
    ), registry


def test_the_papers_p_values_follow_from_its_statistics() -> None:
    # Five families: four degrees of freedom (Semasia, Table 3).
    stated = (1.00e-204, 2.44e-97, 3.14e-25, 5.87e-14, 1.38e-11, 1.70e-4, 2.49e-4)
    for statistic, p in zip(PAPER_STATISTICS.values(), stated, strict=True):
        assert stats.chi2.sf(statistic, 4) == pytest.approx(p, rel=0.01)


def test_statistics_equal_statsmodels_on_raw_predictors(rng: np.random.Generator) -> None:
    graphs, registry = tables(rng, 0.5)
    found = likelihood_ratio_table(graphs, registry)
    joined = graphs.join(registry, on="model_name").sort("model_name")
    y = joined["macro_family"].rank("dense")
    X = sm.add_constant(joined.select(PREDICTORS).to_numpy())
    codes = y.to_numpy().astype(int) - 1
    full = sm.MNLogit(codes, X).fit(disp=0).llf
    for place, predictor in enumerate(PREDICTORS, start=1):
        reduced = sm.MNLogit(codes, np.delete(X, place, axis=1)).fit(disp=0).llf
        row = found.filter(predictor=predictor).row(0, named=True)
        assert row["statistic"] == pytest.approx(2 * (full - reduced), rel=1e-5, abs=1e-6)
        assert row["p_value"] == pytest.approx(stats.chi2.sf(2 * (full - reduced), 2), rel=1e-4)
        assert (row["df"], row["n_models"], row["converged"], row["separated"]) == (
            2,
            240,
            True,
            False,
        )
        assert row["paper_statistic"] == PAPER_STATISTICS[predictor]


def test_separated_data_have_no_p_value(rng: np.random.Generator) -> None:
    found = likelihood_ratio_table(*tables(rng, 50.0))
    assert found["separated"].all()
    assert found["p_value"].null_count() == len(PREDICTORS)
    assert set(found["estimator"]) == {"ridge"}
    assert found["note"].str.contains("separated: no maximum-likelihood estimate").all()
    best = found.sort("statistic", descending=True)["predictor"][0]
    assert best == "diameter"


def test_separation_is_exact() -> None:
    x = np.array([0.0, 1.0, 2.0, 3.0])
    X = np.column_stack([np.ones(4), x])
    assert is_separated(X, np.array([0, 0, 1, 1]))
    assert not is_separated(X, np.array([0, 1, 0, 1]))
    # Quasi-complete: the classes meet in one point.
    tied = np.column_stack([np.ones(4), [0.0, 1.0, 1.0, 2.0]])
    assert is_separated(tied, np.array([0, 0, 1, 1]))


def test_other_and_incomplete_models_are_left_out_and_said(rng: np.random.Generator) -> None:
    graphs, registry = tables(rng, 0.5)
    first = pl.int_range(pl.len())
    registry = registry.with_columns(
        macro_family=pl.when(first < 5).then(pl.lit("Other")).otherwise("macro_family")
    )
    graphs = graphs.with_columns(eigengap=pl.when(first == 7).then(None).otherwise("eigengap"))
    found = likelihood_ratio_table(graphs, registry)
    assert set(found["n_models"]) == {234}
    assert "5 models of macro-family Other left out; 1 models without all" in found["note"][0]


def test_recipes_are_not_mixed(rng: np.random.Generator) -> None:
    graphs, registry = tables(rng, 0.5)
    graphs = graphs.with_columns(eigengap_normalized=pl.col("diameter").exp())
    read = pl.when(pl.int_range(pl.len()) % 9 == 0).then(pl.lit("Hybrid")).otherwise("macro_family")
    registry = registry.with_columns(paper_macro_family=read)
    other = graphs.with_columns(recipe=pl.lit("paper"))
    both = likelihood_ratio_table(pl.concat([graphs, other]), registry)
    # What the paper's authors read, and their Laplacian.
    renamed = registry.with_columns(macro_family="paper_macro_family")
    swapped = graphs.with_columns(eigengap="eigengap_normalized")
    for recipe, alone, models in (("own", graphs, registry), ("paper", swapped, renamed)):
        found, known = both.filter(recipe=recipe), likelihood_ratio_table(alone, models)
        assert found.drop("recipe").equals(known.drop("recipe"))
    assert set(both["n_models"]) == {240}


def test_too_little_to_test_is_told(rng: np.random.Generator) -> None:
    graphs, registry = tables(rng, 0.5)
    few = likelihood_ratio_table(graphs.head(12), registry)
    assert set(few["note"]) == {"12 models for 16 coefficients"}
    one = registry.with_columns(macro_family=pl.lit("MetaFormer"))
    assert set(likelihood_ratio_table(graphs, one)["note"]) == {
        "1 macro-families: nothing to tell apart"
    }
    flat = likelihood_ratio_table(graphs.with_columns(density=pl.lit(1.0)), registry)
    assert set(flat["note"]) == {"density does not vary"}
    twin = likelihood_ratio_table(graphs.with_columns(density=pl.col("eigengap") * 2), registry)
    assert set(twin["note"]) == {"predictors are collinear"}
    with pytest.raises(StatisticsError, match="graphs table: column 'eigengap' is missing"):
        likelihood_ratio_table(graphs.drop("eigengap"), registry)


def test_likelihoods_of_many_designs_equal_statsmodels(rng: np.random.Generator) -> None:
    designs = rng.standard_normal((5, 90, 3))
    designs[:, :, 0] = 1
    classes = rng.integers(0, 3, 90)
    found = log_likelihoods(designs, classes, 3)
    known = [sm.MNLogit(classes, X).fit(disp=0).llf for X in designs]
    assert found == pytest.approx(known, abs=1e-6)
    # Separated: the likelihood tends to 1, and its logarithm to what is left by the other classes.
    X = np.column_stack([np.ones(90), np.where(classes == 2, 1.0, -1.0)])
    two = (classes < 2).sum()
    shares = np.bincount(classes)[:2] / two
    bound = float((shares * np.log(shares)).sum() * two)
    assert log_likelihoods(X[None], classes, 3)[0] == pytest.approx(bound, abs=1e-5)


def test_few_models_have_p_values_of_permutations(rng: np.random.Generator) -> None:
    graphs, registry = tables(rng, 0.5)
    few = likelihood_ratio_table(graphs.head(100), registry)
    assert set(few["reference"]) == {"999 permutations"}
    assert few["note"].str.contains("few models").all()
    assert (few["p_chi2"] < few["p_value"] + 0.05).all()
    assert set(likelihood_ratio_table(graphs, registry)["reference"]) == {"χ²"}
    again = likelihood_ratio_table(graphs.head(100).sample(fraction=1, shuffle=True), registry)
    assert again["p_value"].equals(few["p_value"])


def test_p_values_of_noise_are_uniform() -> None:
    """Signatures that say nothing, beside two predictors that say much; 80 models."""
    p, chi2 = [], []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        classes = rng.integers(0, 4, 80)
        told = rng.standard_normal((80, 2)) + 0.7 * classes[:, None]
        noise = rng.standard_normal((80, 3)) + told[:, :1]
        X = np.column_stack([np.ones(80), told, noise])
        X[:, 1:] = (X[:, 1:] - X[:, 1:].mean(axis=0)) / X[:, 1:].std(axis=0)
        full = log_likelihoods(X[None], classes, 4)[0]
        for place in (3, 4, 5):
            less = log_likelihoods(np.delete(X, place, axis=1)[None], classes, 4)[0]
            null = permuted_statistics(X, classes, place, 199)
            p.append((1 + (null >= 2 * (full - less)).sum()) / 200)
            chi2.append(stats.chi2.sf(2 * (full - less), 3))
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(chi2) < np.mean(p)
