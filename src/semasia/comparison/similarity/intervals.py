"""95 % intervals: a bootstrap for means over rows, a block jackknife for functions of covariances.

Rows drawn twice would be each other's nearest neighbours, and make a covariance look better
determined than it is. So the bootstrap (:func:`semasia.geometry.probes.mean_interval`) draws rows'
scores with the neighbour lists fixed, and the measures of covariances are computed with one block
of rows left out at a time.
"""

from __future__ import annotations

import numpy as np

BLOCKS = 20
BOOTSTRAP = "bootstrap of rows, 1,000 resamples, percentiles"
JACKKNIFE = "block jackknife, 20 blocks, normal"
_NORMAL = 1.959963984540054


def jackknife_interval(
    value: float, left_out: np.ndarray, bounds: tuple[float, float]
) -> tuple[float, float]:
    """Return value ± 1.96 jackknife standard errors, clipped to the range of the measure.

    Parameters
    ----------
    value : float
        From all rows.
    left_out : (g,) array
        With one block of rows left out each.
    bounds : (float, float)

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, section 11.5.
    """
    g = len(left_out)
    variance = (g - 1) / g * float(np.square(left_out - left_out.mean()).sum())
    half = _NORMAL * np.sqrt(variance)
    return float(max(value - half, bounds[0])), float(min(value + half, bounds[1]))


def dealt_out(n: int, blocks: int = BLOCKS) -> list[slice]:
    """Return the rows of each block.

    Rows are dealt out in turn, so that a split that is sorted by class gives each block its share
    of every class.
    """
    return [slice(block, n, blocks) for block in range(blocks)]


def without(
    products: np.ndarray, a: np.ndarray, b: np.ndarray, n: int
) -> np.ndarray:  # fmt: skip
    """Return the centred cross products of all rows but some, by subtraction.

    Parameters
    ----------
    products : (r, s) array
        Σ aᵢᵀbᵢ over all n rows, which have mean zero.
    a, b : (m, r) and (m, s) arrays
        The rows that are left out.
    n : int

    Returns
    -------
    (r, s) array
        About the means of the rows that stay.
    """
    rest = products - a.T @ b
    rest -= np.outer(a.sum(axis=0), b.sum(axis=0)) / (n - len(a))
    return rest
