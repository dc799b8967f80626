"""Which graph signatures tell macro-families apart: likelihood-ratio tests (Semasia, G.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from semasia.decomposition import rank
from semasia.errors import StatisticsError
from semasia.statistics.multinomial import fit_maximum_likelihood, fit_ridge, is_separated
from semasia.statistics.resampling import PERMUTATIONS, permuted_statistics

# Predictors and likelihood-ratio statistics of the paper (Table 3, CIFAR-10). The Wiener index,
# which G.2 describes, is not among them.
PAPER_STATISTICS = {
    "latent_dim": 951.78,
    "num_parameters": 455.78,
    "eigengap": 121.08,
    "square_clustering": 68.04,
    "density": 56.77,
    "cycle_length": 22.36,
    "diameter": 21.53,
}
PREDICTORS = tuple(PAPER_STATISTICS)
PAPER_BENCHMARK = "cifar10"
# What no family of Figure 6 is: ours, and what the paper's authors read besides the five.
LEFT_OUT = ("Other", "MLP", "State Space Model")
# Below so many models a coefficient the χ² reference is not to be had: see resampling.
_FEW = 10
CHI2, PERMUTED = "χ²", f"{PERMUTATIONS} permutations"
# What the paper's variant reads instead: its authors' macro-families, and their Laplacian.
_OF_PAPER = {"macro_family": "paper_macro_family", "eigengap": "eigengap_normalized"}
# What a model has one row of graph signatures for.
_SERIES = ("benchmark", "split", "recipe")

# Names, types and order of the table's columns.
COLUMNS: dict[str, Any] = {
    "benchmark": pl.String,
    "split": pl.String,
    "recipe": pl.String,
    "predictor": pl.String,
    "statistic": pl.Float64,
    "df": pl.Int64,
    "p_value": pl.Float64,
    "reference": pl.String,
    "p_chi2": pl.Float64,
    "estimator": pl.String,
    "n_models": pl.Int64,
    "n_families": pl.Int64,
    "converged": pl.Boolean,
    "separated": pl.Boolean,
    "paper_statistic": pl.Float64,
    "note": pl.String,
}


def likelihood_ratio_table(graphs: pl.DataFrame, registry: pl.DataFrame) -> pl.DataFrame:
    """Test every predictor of the macro-family, given all others, in every series of signatures.

    A series is a benchmark, a split and a recipe. Under the recipe ``paper`` the macro-families are
    those that the paper's authors read, and the eigengap is that of the normalised Laplacian.

    Parameters
    ----------
    graphs : DataFrame
        The graph signatures: ``benchmark``, ``split``, ``recipe``, ``model_name`` and those of
        :data:`PREDICTORS` that are graph signatures.
    registry : DataFrame
        With ``model_name``, ``macro_family``, ``latent_dim``, ``num_parameters``; ``untrained``
        models are left out.

    Returns
    -------
    DataFrame
        The columns of :data:`COLUMNS`. ``statistic`` is 2(ℓ_full − ℓ_without), with (families − 1)
        degrees of freedom. Where there are fewer than ten models a coefficient, ``p_value`` is that
        of permutations of the predictor, and ``p_chi2``, which is too small there, stands beside.
        On separated data the maximum-likelihood estimate does not exist; the statistic is then that
        of a ridge fit (``estimator``), and there is no p-value.

    Raises
    ------
    StatisticsError
        If a column is missing.
    """
    signatures = [p for p in PREDICTORS if p not in ("latent_dim", "num_parameters")]
    _check(graphs, "graphs", [*_SERIES, "model_name", *signatures])
    known = ["model_name", "macro_family", "latent_dim", "num_parameters", "untrained"]
    _check(registry, "registry", known)
    rows: list[dict[str, Any]] = []
    for series in graphs.select(_SERIES).unique().sort(pl.all()).rows(named=True):
        part, models = graphs.filter(**series), registry
        if series["recipe"] == "paper":
            _check(graphs, "graphs", [_OF_PAPER["eigengap"]])
            _check(registry, "registry", [_OF_PAPER["macro_family"]])
            part = part.with_columns(eigengap=_OF_PAPER["eigengap"])
            models = models.with_columns(macro_family=_OF_PAPER["macro_family"])
        trained = models.filter(~pl.col("untrained")).select(known[:-1])
        joined = part.select("model_name", *signatures).join(trained, on="model_name", how="inner")
        for row in _tests(joined.sort("model_name")):
            of_paper = series["benchmark"] == PAPER_BENCHMARK
            paper = PAPER_STATISTICS[row["predictor"]] if of_paper else None
            rows.append({**series, "paper_statistic": paper, **row})
    return pl.DataFrame([{c: row.get(c) for c in COLUMNS} for row in rows], schema=COLUMNS)


def _check(frame: pl.DataFrame, table: str, columns: list[str]) -> None:
    for column in columns:
        if column not in frame.columns:
            raise StatisticsError(
                f"{table} table: column {column!r} is missing; likelihood ratios need "
                f"{', '.join(columns)}."
            )


def _tests(part: pl.DataFrame) -> Iterator[dict[str, Any]]:
    finite = pl.all_horizontal(pl.col(p).cast(pl.Float64).is_finite() for p in PREDICTORS)
    kept_out = pl.col("macro_family").is_null() | pl.col("macro_family").is_in(LEFT_OUT)
    named = part.filter(~kept_out)
    kept = named.filter(finite.fill_null(False))
    families = kept["macro_family"].unique().sort().to_list()
    notes = []
    if len(part) > len(named):
        notes.append(f"{len(part) - len(named)} models of macro-family {LEFT_OUT[0]} left out")
    if len(named) > len(kept):
        notes.append(f"{len(named) - len(kept)} models without all predictors left out")
    sizes = {"n_models": len(kept), "n_families": len(families)}
    values = kept.select(pl.col(p).cast(pl.Float64) for p in PREDICTORS).to_numpy()
    refused = _refusal(values, len(families))
    if refused:
        for predictor in PREDICTORS:
            yield {"predictor": predictor, **sizes, "note": "; ".join([*notes, refused])}
        return
    standardised = (values - values.mean(axis=0)) / values.std(axis=0)
    X = np.column_stack([np.ones(len(values)), standardised])
    places = {family: place for place, family in enumerate(families)}
    classes = np.array([places[f] for f in kept["macro_family"]])
    separated = is_separated(X, classes)
    fit = fit_ridge if separated else fit_maximum_likelihood
    if separated:
        notes.append("separated: no maximum-likelihood estimate; ridge, and no p-value")
    full = fit(X, classes)
    few = len(values) < _FEW * (len(families) - 1) * X.shape[1]
    for place, predictor in enumerate(PREDICTORS, start=1):
        reduced = fit(np.delete(X, place, axis=1), classes)
        statistic = 2 * (full.log_likelihood - reduced.log_likelihood)
        converged = full.converged and reduced.converged
        told = notes if converged else [*notes, "the optimiser did not converge: no p-value"]
        tested = converged and not separated
        chi2 = _p_value(statistic, len(families) - 1) if tested else None
        p = chi2
        if tested and few:
            told = [*told, "few models: a p-value of permutations"]
            null = permuted_statistics(X, classes, place)
            p = float((1 + (null >= statistic - 1e-6).sum()) / (1 + len(null)))
        yield {
            "predictor": predictor,
            "statistic": statistic if np.isfinite(statistic) else None,
            "df": len(families) - 1,
            "p_value": p,
            "reference": (PERMUTED if few else CHI2) if tested else None,
            "p_chi2": chi2,
            "estimator": "ridge" if separated else "maximum likelihood",
            **sizes,
            "converged": converged,
            "separated": separated,
            "note": "; ".join(told) or None,
        }


def _refusal(values: np.ndarray, families: int) -> str | None:
    if families < 2:
        return f"{families} macro-families: nothing to tell apart"
    coefficients = (families - 1) * (len(PREDICTORS) + 1)
    if len(values) <= coefficients:
        return f"{len(values)} models for {coefficients} coefficients"
    spread = values.std(axis=0)
    constant = [p for p, s in zip(PREDICTORS, spread, strict=True) if not s > 0]
    if constant:
        return f"{', '.join(constant)} does not vary"
    standardised = (values - values.mean(axis=0)) / spread
    if rank(standardised) < len(PREDICTORS):
        return "predictors are collinear"
    return None


def _p_value(statistic: float, df: int) -> float:
    from scipy import stats

    return float(stats.chi2.sf(max(statistic, 0.0), df))
