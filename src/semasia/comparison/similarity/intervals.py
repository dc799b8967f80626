"""95 % intervals by a block jackknife: every measure again with a twentieth of the rows left out.

A bootstrap draws rows twice, which would be each other's nearest neighbours, and make a covariance
look better determined than it is. With its lists of neighbours fixed it forgets that rows depend on
each other through them.

Blocks are dealt out by a hash of the rows' ids, so that the order of rows decides nothing. What an
interval is of depends on how the rows are meant to have come: drawn at random from a population of
inputs, or with the numbers of each class fixed beforehand. Under the second each block has its
share of every class, and the spread that comes from drawing more of one class than of another is
not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from semasia.inputs.selection import hashed

BLOCKS = 20


class Sampling(StrEnum):
    """How the compared rows are meant to have come."""

    ROWS = "rows"
    CLASSES = "classes"


class Blocks(NamedTuple):
    """Which rows are left out together.

    Attributes
    ----------
    of : (n,) uint8 array
        The block of every row, from 0 to 19.
    sampling : Sampling
    """

    of: np.ndarray
    sampling: Sampling

    @property
    def description(self) -> str:
        """What the table says of an interval."""
        meant = {
            Sampling.ROWS: "rows drawn at random",
            Sampling.CLASSES: "numbers of rows a class fixed",
        }
        return (
            f"block jackknife, {BLOCKS} blocks, t; of the mean at {len(self.of)} rows, "
            f"{meant[self.sampling]}"
        )

    def members(self) -> Iterator[np.ndarray]:
        """Yield the rows of each block, ascending."""
        for block in range(BLOCKS):
            yield np.flatnonzero(self.of == block)


def jackknife_blocks(ids: np.ndarray, classes: np.ndarray | None = None) -> Blocks:
    """Deal rows out to 20 blocks by the hash of their ids.

    Parameters
    ----------
    ids : (n,) array of distinct unsigned integers
    classes : (n,) array, optional
        Rows are dealt out class by class: their numbers are meant to be fixed.

    Returns
    -------
    Blocks
        Of equal size but for one row; so are the parts of every class.
    """
    rank = hashed(ids)
    keys = (rank,) if classes is None else (rank, classes)
    of = np.empty(len(ids), np.uint8)
    of[np.lexsort(keys)] = np.arange(len(ids)) % BLOCKS
    return Blocks(of, Sampling.ROWS if classes is None else Sampling.CLASSES)


def jackknife_interval(
    value: float, left_out: np.ndarray, bounds: tuple[float, float]
) -> tuple[float, float]:
    """Return value ± t jackknife standard errors, clipped to the range of the measure.

    Parameters
    ----------
    value : float
        From all rows.
    left_out : (g,) array
        With one block of rows left out each.
    bounds : (float, float)

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, section 11.5; Student's t of g − 1
    degrees of freedom, as the standard error comes from g values.
    """
    g = len(left_out)
    variance = (g - 1) / g * float(np.square(left_out - left_out.mean()).sum())
    half = float(stdtrit(g - 1, 0.975)) * np.sqrt(variance)
    return float(max(value - half, bounds[0])), float(min(value + half, bounds[1]))


def jackknife_bias(value: float, left_out: np.ndarray) -> float:
    """Return the jackknife estimate of what the value differs by from that of ever more rows.

    It extrapolates a bias that falls as 1 / n, and gives a part of one that falls more slowly.

    References
    ----------
    Efron & Tibshirani (1993), section 10.5.
    """
    return float((len(left_out) - 1) * (left_out.mean() - value))


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
