"""One model's rows as alignment needs them: centred, in few coordinates, with their covariance."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import scipy.linalg

from semasia.comparison.alignment.whitening import EPSILON, Whitening
from semasia.decomposition import eigh
from semasia.errors import ComparisonError
from semasia.geometry.moments import in_float64, moments


class Side:
    """The training rows of one model, and what every alignment with it shares.

    Rows are read in blocks of float64. Where there are fewer rows than dimensions, coordinates are
    those of an orthonormal basis of the span of the centred rows, so that no d² matrix is needed:
    every method's map vanishes outside that span and ends inside it, hence nothing changes. Memory
    is then n · d in float64 for the basis, and d² for the covariance otherwise (0.9 GB at a width
    of 10,444, thrice that while its eigenvectors are found).

    Parameters
    ----------
    rows : (n, d) float array
        Any float type; float16 is computed with in float64.
    name : str
        What errors call it.

    Raises
    ------
    ComparisonError
        If there are fewer than two rows, no dimensions, or a value that is not finite; the message
        names the row.
    """

    def __init__(self, rows: np.ndarray, name: str = "A") -> None:
        if rows.ndim != 2 or len(rows) < 2 or not rows.shape[1]:
            raise ComparisonError(
                f"{name}: an array of shape {rows.shape}; an alignment is fitted on two or more "
                "rows of one or more dimensions."
            )
        self.rows, self.name = rows, name
        # About the first row, so that the mean of a constant dimension is exact.
        first, total, start = rows[0].astype(np.float64), np.zeros(rows.shape[1]), 0
        for block in in_float64([rows]):
            check_finite(block, name, start)
            total += np.subtract(block, first, out=block).sum(axis=0)
            start += len(block)
        self.mean = first + total / len(rows)

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @property
    def width(self) -> int:
        """Number of dimensions, d."""
        return self.rows.shape[1]

    @cached_property
    def basis(self) -> np.ndarray | None:
        """(d, n) orthonormal columns that span the centred rows; None where n ≥ d."""
        if self.n >= self.width:
            return None
        centred = np.subtract(self.rows, self.mean, dtype=np.float64)
        qr: Any = scipy.linalg.qr
        return qr(centred.T, mode="economic", overwrite_a=True, check_finite=False)[0]

    def coordinates(self, rows: np.ndarray) -> np.ndarray:
        """Return (b, r) float64 coordinates of (b, d) rows, r = min(n, d), about the mean."""
        centred = np.subtract(rows, self.mean, dtype=np.float64)
        return centred if self.basis is None else centred @ self.basis

    def lifted(self, coordinates: np.ndarray) -> np.ndarray:
        """Return the (b, d) float64 rows that (b, r) coordinates stand for."""
        around = coordinates if self.basis is None else coordinates @ self.basis.T
        return around + self.mean

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield the coordinates of all rows, block by block."""
        for rows in row_blocks(self.n, self.width):
            yield self.coordinates(self.rows[rows])

    @cached_property
    def covariance(self) -> np.ndarray:
        """(r, r) covariance of the coordinates, divided by n − 1, without ε.

        Zero where rows coincide: what is left of them about the mean is rounding.
        """
        found = moments(self.blocks()).scatter / (self.n - 1)
        rounding = 4 * np.finfo(float).eps * np.abs(self.mean).max()
        return found if np.trace(found) > self.width * rounding**2 else np.zeros_like(found)

    @property
    def constant(self) -> bool:
        """Whether all rows coincide."""
        return not self.covariance.any()

    @cached_property
    def spectrum(self) -> tuple[np.ndarray, np.ndarray]:
        """(r,) eigenvalues of the covariance, ascending, and its (r, r) eigenvectors."""
        values, vectors = eigh(self.covariance)
        return np.clip(values, 0, None), vectors

    @cached_property
    def whitening(self) -> Whitening:
        """The whitening of the coordinates (Semasia, Appendix E.2)."""
        return Whitening.of(self.covariance, self.name)

    @property
    def condition(self) -> float:
        """The largest variance over the least that is no rounding, ε added to it; 1 without any."""
        values = self.spectrum[0]
        alive = values[values > self.least_variance]
        return float(alive[-1] / (alive[0] + EPSILON)) if len(alive) else 1.0

    @property
    def least_variance(self) -> float:
        """Variance below which a direction is rounding: r · 2⁻⁵² of the largest."""
        values = self.spectrum[0]
        return len(values) * float(np.finfo(float).eps * values[-1])


def row_blocks(n: int, width: int) -> Iterator[slice]:
    """Yield slices of n rows, each of at most about 2²⁰ values or an eighth of the width in rows.

    Blocks of so many rows keep the cost of adding to a d² matrix below that of the products.
    """
    step = max(1, width // 8, 2**20 // max(width, 1))
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def check_finite(block: np.ndarray, name: str, start: int = 0) -> None:
    """Raise a ComparisonError that names the first row of a block with a NaN or an infinity."""
    if not np.isfinite(block.sum(dtype=np.float64)):
        bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
        if len(bad):
            raise ComparisonError(
                f"{name}: row {start + bad[0]} holds a value that is not finite; extract the "
                "latents of this model again, or leave the row out of both models."
            )
