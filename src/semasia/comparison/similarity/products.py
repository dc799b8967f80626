"""Cross products of two embeddings of the same rows, without any n × n or large d × d matrix.

Rows are centred in float64 before they are multiplied, so that a mean far from the origin costs no
precision. Blocks of rows that came in float16 or float32 are multiplied in float32 and the
products added up in float64, which leaves errors of about 10⁻⁷ of the largest entry; rows that
came in float64 are multiplied in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from semasia.accelerator import multiply
from semasia.errors import ComparisonError, DegenerateEmbeddingError
from semasia.geometry.metrics import checked
from semasia.geometry.moments import in_float64

# Rows whose products are summed in the type of the rows before they are added to float64.
_BLOCK_ROWS = 8192
# Columns (or, for Gram matrices, rows) of which products with all others are held at a time.
_PANEL = 2048


def centred(Z: Any, kind: type | None = None) -> np.ndarray:
    """Return rows less their mean, times a power of two that brings the largest value near one.

    Parameters
    ----------
    Z : (n, d) array-like of float16, float32 or float64
        n ≥ 2.
    kind : type, optional
        float64 for exact products whatever Z is; by default float32 unless Z is more precise.

    Returns
    -------
    (n, d) C-contiguous array
        A copy.

    Raises
    ------
    ComparisonError
        If there are fewer than two rows.
    DegenerateEmbeddingError
        If Z is not a matrix of numbers, a value is not finite (the message names the row), or all
        rows coincide.
    """
    rows = checked(Z)
    n = len(rows)
    if n < 2:
        raise ComparisonError(f"{n} rows; two spaces are compared on two rows or more.")
    if kind is None:
        kind = np.float32 if rows.dtype in (np.float16, np.float32) else np.float64
    mean = _mean(rows)
    reach = float(np.maximum(rows.max(axis=0) - mean, mean - rows.min(axis=0)).max(initial=0))
    scale = float(2.0 ** -np.clip(np.ceil(np.log2(reach)), -1000, 1000)) if reach > 0 else 1.0
    result = np.empty(rows.shape, kind)
    spread, start = 0.0, 0
    for block in in_float64([rows], minus=mean):
        block *= scale
        spread += float(np.einsum("ij,ij->", block, block))
        result[start : start + len(block)] = block
        start += len(block)
    # Equal rows leave at most a variance of rounding size in float64.
    if not spread > 1e-28 * n * float(np.square(mean * scale).sum()):
        raise DegenerateEmbeddingError(f"all {n} rows coincide: every measure is undefined.")
    return result


class CrossProducts:
    """The sum of aᵀb over pairs of rows that come in pairs of blocks.

    Parameters
    ----------
    width_a, width_b : int

    Attributes
    ----------
    total : (width_a, width_b) float64 array
    """

    def __init__(self, width_a: int, width_b: int) -> None:
        self._shape = (width_a, width_b)
        self._total: np.ndarray | None = None

    @property
    def total(self) -> np.ndarray:
        return np.zeros(self._shape) if self._total is None else self._total

    def add(self, a: np.ndarray, b: np.ndarray) -> None:
        """Add the products of (r, width_a) and (r, width_b) rows, multiplied in their type."""
        for start in range(0, len(a), _BLOCK_ROWS):
            rows = slice(start, start + _BLOCK_ROWS)
            products = multiply(a[rows].T, b[rows])
            if self._total is None:
                self._total = products.astype(np.float64, copy=False)
            else:
                self._total += products


def cross_products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return aᵀb, (dA, dB) in float64, of centred rows."""
    sums = CrossProducts(a.shape[1], b.shape[1])
    sums.add(a, b)
    return sums.total


def cross_energy(a: np.ndarray, b: np.ndarray) -> float:
    """Return ‖aᵀb‖²_F of centred rows.

    From dA × dB products, at most 2,048 × dB of them at a time; where n is so small that two
    Gram matrices cost less, deliberately as Σ (aaᵀ ∘ bbᵀ), at most 2,048 × n at a time.

    Parameters
    ----------
    a : (n, dA) float array
    b : (n, dB) float array
    """
    n, widths = len(a), (a.shape[1], b.shape[1])
    energy = 0.0
    if n * sum(widths) < widths[0] * widths[1]:
        for start in range(0, n, _PANEL):
            rows = slice(start, start + _PANEL)
            energy += _dot(multiply(a[rows], a.T), multiply(b[rows], b.T))
        return energy
    for start in range(0, widths[0], _PANEL):
        # All columns as they are where they fit: NumPy makes half of a product with itself.
        columns = a if widths[0] <= _PANEL else a[:, start : start + _PANEL]
        products = cross_products(columns, b).ravel()
        energy += float(products @ products)
    return energy


def cross_energies(stacked: np.ndarray, b: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return ‖aᵀb‖²_F of several centred spaces that stand side by side with another.

    Parameters
    ----------
    stacked : (n, D) float array
    b : (n, d) float array
    starts : (m,) int array
        First column of each space, ascending from 0.

    Returns
    -------
    (m,) float64 array
    """
    squares = np.empty(stacked.shape[1])
    for start in range(0, len(squares), _PANEL):
        panel = slice(start, start + _PANEL)
        products = cross_products(stacked[:, panel], b)
        squares[panel] = np.einsum("ij,ij->i", products, products)
    return np.add.reduceat(squares, starts)


def row_squares(a: np.ndarray) -> np.ndarray:
    """Return ‖aᵢ‖² of every row, (n,) float64."""
    return np.concatenate([np.einsum("ij,ij->i", r, r) for r in in_float64([a])])


def _mean(rows: np.ndarray) -> np.ndarray:
    """Return the mean of rows in float64, summed about the mean of the first of them."""
    shift = total = np.zeros(rows.shape[1])
    start = 0
    for block in in_float64([rows]):
        if not np.isfinite(block.sum()):
            bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
            if len(bad):
                raise DegenerateEmbeddingError(f"row {start + bad[0]} is not finite.")
        if start == 0:
            shift = block.mean(axis=0)
        block -= shift
        total = total + block.sum(axis=0)
        start += len(block)
    mean = shift + total / start
    if not np.isfinite(mean).all():
        raise DegenerateEmbeddingError("values are too near the largest float64 for a mean.")
    return mean


def _dot(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.einsum("ij,ij->", a, b, dtype=np.float64))
