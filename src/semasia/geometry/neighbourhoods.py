"""Metrics of a space's neighbourhoods: intrinsic dimension and hubness.

Neighbours are exact, among the rows given: both metrics depend on how many there are.
"""

from __future__ import annotations

import numpy as np

from semasia.errors import DegenerateEmbeddingError

# Rows that neighbours are sought among; a larger embedding gives a seeded sample of so many.
NEIGHBOUR_ROWS = 5000
# Neighbours that hubness counts (Radovanović et al., 2010, use 10 throughout).
K = 10
# Facco et al. (2017) leave out the largest tenth of the ratios, where the density varies most.
_KEPT = 0.9


def intrinsic_dimension(distances: np.ndarray) -> float:
    """TwoNN: the slope of −log(1 − F) against log(r₂/r₁), through the origin.

    Parameters
    ----------
    distances : (n, ≥2) float array
        To the nearest other rows, nearest first, copies of rows left out before: as neighbours of
        others they would make a space look of twice its dimensions. Rows at distance 0 are left
        out.

    Raises
    ------
    DegenerateEmbeddingError
        If fewer than three rows are left, or all ratios are one.

    References
    ----------
    Facco, d'Errico, Rodriguez & Laio (2017), Scientific Reports 7:12140.
    """
    apart = distances[:, 0] > 0
    ratios = np.sort(np.log(distances[apart, 1] / distances[apart, 0]))
    n = len(ratios)
    x = ratios[: int(_KEPT * n)]
    if n < 3 or not x.any():
        raise DegenerateEmbeddingError(
            f"{n} rows have two neighbours at different distances from zero; three are needed."
        )
    y = -np.log1p(-np.arange(1, len(x) + 1) / n)
    return float(x @ y / (x @ x))


def hubness(indices: np.ndarray) -> float:
    """Skewness of the number of rows that have a row among their k nearest.

    Parameters
    ----------
    indices : (n, k) int array

    Returns
    -------
    float
        0 where every row is a neighbour equally often.

    References
    ----------
    Radovanović, Nanopoulos & Ivanović (2010), JMLR 11, eq. 1.
    """
    counts = np.bincount(indices.ravel(), minlength=len(indices)).astype(np.float64)
    deviations = counts - counts.mean()
    spread = np.sqrt(np.square(deviations).mean())
    return float((deviations**3).mean() / spread**3) if spread > 0 else 0.0
