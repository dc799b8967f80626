"""95 % intervals by a block jackknife, and by balanced half-samples where rows are neighbours.

A bootstrap draws rows twice, which would be each other's nearest neighbours, and make a covariance
look better determined than it is. With its lists of neighbours fixed it forgets that rows depend on
each other through them. A jackknife leaves out a twentieth of the rows at a time. Of few neighbours
it makes intervals half again too wide: a row that leaves makes room for another, and such effects
of two rows are counted twice (Efron & Stein, 1981). There, rows are halved in 19 balanced ways of
putting the 20 blocks on two sides, neighbours are found among the rows of each side, and the
difference of the sides tells the spread. For a mean over rows both give the same.

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
JACKKNIFE = f"block jackknife, {BLOCKS} blocks"
HALF_SAMPLES = f"{BLOCKS - 1} balanced half-samples"
# Of the rows: above it neighbours in a half reach twice as far, and say too little of those in all.
HALF_SAMPLES_UP_TO = 1 / 8


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

    def described(self, method: str) -> str:
        """Return what the table says of an interval.

        Parameters
        ----------
        method : str
            :data:`JACKKNIFE` or :data:`HALF_SAMPLES`.
        """
        meant = {
            Sampling.ROWS: "rows drawn at random",
            Sampling.CLASSES: "numbers of rows a class fixed",
        }
        return f"{method}, t; of the mean at {len(self.of)} rows, {meant[self.sampling]}"

    def members(self) -> Iterator[np.ndarray]:
        """Yield the rows of each block, ascending."""
        for block in range(BLOCKS):
            yield np.flatnonzero(self.of == block)

    def left_out(self) -> np.ndarray:
        """Return (20, n) int8 partitions: 0 for what stays, −1 for the block that is left out."""
        return -(self.of == np.arange(BLOCKS)[:, None]).astype(np.int8)

    def halves(self) -> np.ndarray:
        """Return (19, n) int8 partitions into sides 0 and 1, ten blocks each."""
        return (_hadamard()[1:, self.of] > 0).astype(np.int8)


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


def halves_serve(k: int, rows: int) -> bool:
    """Return whether neighbours in half-samples tell the spread of k neighbours among all rows."""
    return k <= HALF_SAMPLES_UP_TO * rows


def half_sample_interval(
    value: float, differences: np.ndarray, bounds: tuple[float, float]
) -> tuple[float, float]:
    """Return value ± t standard errors from balanced half-samples, clipped to the measure's range.

    Parameters
    ----------
    value : float
        From all rows.
    differences : (19,) array
        Half of the value on one side less that on the other, in the partitions of
        :meth:`Blocks.halves`.
    bounds : (float, float)

    References
    ----------
    McCarthy (1969), Review of the International Statistical Institute 37: balanced repeated
    replication. A mean over rows has the variance of the block jackknife.
    """
    half = float(stdtrit(len(differences), 0.975)) * np.sqrt(np.square(differences).mean())
    return float(max(value - half, bounds[0])), float(min(value + half, bounds[1]))


def _hadamard() -> np.ndarray:
    """Return Paley's (20, 20) matrix of ±1 with orthogonal rows, the first all ones."""
    size = BLOCKS - 1
    squares = {x * x % size for x in range(1, size)}
    H = np.ones((BLOCKS, BLOCKS), np.int8)
    H[1:, 0] = -1
    for i in range(size):
        for j in range(size):
            H[1 + i, 1 + j] = 1 if i == j or (i - j) % size in squares else -1
    return H


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
