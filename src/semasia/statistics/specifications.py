"""The three specifications of the regressions as design matrices (Semasia, Appendix F)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from semasia.statistics.estimation import Design

SPECIFICATIONS = ("pooled", "per_dataset", "interaction")
TREATMENT = "treatment"
DATASETS = "dataset fixed effects"
FAMILIES = "family fixed effects"
INTERACTIONS = "treatment × dataset"


def design_of(observations: pl.DataFrame, *, interaction: bool = False) -> Design:
    """Return the design of y = α + β·treated + γᵀa + δᵀd + ε (Semasia, Appendix F).

    Families a and datasets d are indicators; the first of each by name is the reference and has
    none. With ``interaction``, treated × each other dataset follows: its coefficient is the
    difference between that dataset's effect and the reference's.

    Parameters
    ----------
    observations : DataFrame
        From :func:`semasia.statistics.stacking.stacked`.

    Returns
    -------
    Design
        With clusters by model and by network.
    """
    treated = observations["treated"].to_numpy().astype(float)
    columns, terms = [np.ones(len(treated)), treated], ["intercept", TREATMENT]
    datasets = _indicators(observations["benchmark"])
    for name, indicator in datasets.items():
        columns.append(indicator)
        terms.append(f"dataset {name}")
    for name, indicator in _indicators(observations["family"]).items():
        columns.append(indicator)
        terms.append(f"family {name}")
    if interaction:
        for name, indicator in datasets.items():
            columns.append(indicator * treated)
            terms.append(f"{TREATMENT} × {name}")
    clusters = {
        "by_model": _codes(observations["model_name"]),
        "by_network": _codes(observations["network"]),
    }
    return Design(np.column_stack(columns), terms, clusters)


def joint_terms(terms: Sequence[str]) -> dict[str, list[str]]:
    """Return the groups of coefficients that are tested together; empty groups are left out."""
    groups = {
        DATASETS: [t for t in terms if t.startswith("dataset ")],
        FAMILIES: [t for t in terms if t.startswith("family ")],
        INTERACTIONS: [t for t in terms if t.startswith(f"{TREATMENT} × ")],
    }
    return {name: members for name, members in groups.items() if members}


def _codes(values: pl.Series) -> np.ndarray:
    return values.rank("dense").to_numpy().astype(int) - 1


def _indicators(values: pl.Series) -> dict[str, np.ndarray]:
    names = values.unique().sort().to_list()[1:]
    return {name: (values == name).to_numpy().astype(float) for name in names}
