"""What a measure reaches for spaces that have nothing in common, at these rows and shapes.

The mean over all permutations of the rows of one space: exact where it has a closed form, for
canonical correlations the limit law of large shapes. A value is read against it: with few rows, or
many dimensions, some measures are high whatever the spaces hold.
"""

from __future__ import annotations

import numpy as np
from scipy.integrate import quad
from scipy.stats import hypergeom

# Below this chance is no matter, and below this share of a value.
_LEAST, _SHARE = 0.1, 0.5
# From here on the shape decides all of it.
_ALL = 0.999


def kernel_chance(trace_a: float, trace_b: float, rows: int) -> float:
    """Return the mean of ⟨K, PLPᵀ⟩ over permutations P, of doubly centred kernels of norm one."""
    return trace_a * trace_b / (rows - 1)


def correlation_chance(rows: int, a: int, b: int) -> float:
    """Return the mean canonical correlation of unrelated subspaces of a and b dimensions.

    Subspaces of the rows − 1 centred dimensions: where a + b is more, that many correlations are 1
    whatever the spaces hold. The others follow Wachter's law, the limit of large shapes.

    Parameters
    ----------
    rows, a, b : int
        a and b from 1 to rows − 1.

    References
    ----------
    Wachter (1980), Annals of Statistics 8; Bao, Hu, Pan & Zhou (2019), Annals of Statistics 47,
    eq. 2.2.
    """
    free = rows - 1
    larger, smaller = max(a, b), min(a, b)
    forced = max(0, larger + smaller - free)
    alpha, beta = larger / free, smaller / free
    if forced >= smaller:
        return 1.0
    ends = [
        np.square(np.sqrt(alpha * (1 - beta)) + sign * np.sqrt(beta * (1 - alpha)))
        for sign in (-1, 1)
    ]
    low, high = float(max(ends[0], 0.0)), float(min(ends[1], 1.0))
    middle, half = (low + high) / 2, (high - low) / 2

    def share(angle: float, power: float) -> float:
        squared = middle + half * np.cos(angle)
        # Of the density √((λ₊ − λ)(λ − λ₋)) / (2π β λ (1 − λ)), λ a squared correlation.
        return squared ** (power - 1) / (1 - squared) * (half * np.sin(angle)) ** 2

    if half == 0:
        bulk = np.sqrt(middle)
    else:
        whole = quad(share, 0, np.pi, args=(0.0,), limit=200)[0]
        bulk = quad(share, 0, np.pi, args=(0.5,), limit=200)[0] / whole
    return float((forced + (smaller - forced) * bulk) / smaller)


def neighbour_chance(rows: int, k: int) -> float:
    """Return k / (n − 1), the mean share of common neighbours of unrelated spaces."""
    return k / (rows - 1)


def jaccard_chance(rows: int, k: int) -> float:
    """Return the mean Jaccard index of two random lists of k of the n − 1 others."""
    common = np.arange(k + 1)
    shares = hypergeom.pmf(common, rows - 1, k, k)
    return float((shares * common / (2 * k - common)).sum())


def note_on(value: float, chance: float | None, rows: int) -> str | None:
    """Return what a value is not to be read without, where half of it or more is chance's."""
    if chance is None or chance < max(_LEAST, _SHARE * value):
        return None
    if chance >= _ALL:
        return f"decided by shape: unrelated spaces of these ranks reach 1 at {rows} rows, too."
    return f"unrelated spaces of these shapes reach {chance:.2f} on average at {rows} rows."
