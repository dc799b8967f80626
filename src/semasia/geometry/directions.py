"""Metrics of the directions of rows, seen from the origin: mean cosine and uniformity."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from semasia.errors import DegenerateEmbeddingError
from semasia.geometry.moments import in_float64

# Rows of the seeded sample whose pairs uniformity averages.
UNIFORMITY_ROWS = 2000
_T = 2.0


def mean_cosine(blocks: Iterable[np.ndarray]) -> float:
    """Mean cosine of two different rows, in closed form from the sum of the normalised rows.

    (‖Σ zᵢ/‖zᵢ‖‖² − n) / (n (n − 1)). Rows of zeros have no direction, and are left out.

    Raises
    ------
    DegenerateEmbeddingError
        If fewer than two rows have a direction.

    References
    ----------
    Ethayarajh (2019), EMNLP, where it is called anisotropy.
    """
    n, total = 0, np.zeros(())
    for rows in in_float64(blocks):
        norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        n += int((norms > 0).sum())
        total = total + np.divide(1, norms, out=norms, where=norms > 0) @ rows
    _check(n)
    return float((total @ total - n) / (n * (n - 1)))


def uniformity(Z: np.ndarray) -> float:
    """Log of the mean over pairs of different rows, normalised, of exp(−2 ‖x − y‖²).

    Parameters
    ----------
    Z : (n, d) float array
        Rows of zeros are left out.

    Returns
    -------
    float
        At most 0, which it is where all rows have one direction.

    Raises
    ------
    DegenerateEmbeddingError
        If fewer than two rows have a direction.

    References
    ----------
    Wang & Isola (2020), ICML, eq. 2, with t = 2.
    """
    rows = np.asarray(Z, np.float64)
    norms = np.linalg.norm(rows, axis=1)
    rows = rows[norms > 0] / norms[norms > 0, None]
    n = len(rows)
    _check(n)
    # ‖x − y‖² = 2 − 2⟨x, y⟩ for unit vectors; rounding must not make it negative.
    squares = np.clip(2 - 2 * (rows @ rows.T), 0, None)
    summed = np.exp(-_T * squares).sum() - np.exp(-_T * np.diag(squares)).sum()
    return float(np.log(summed / (n * (n - 1))))


def _check(n: int) -> None:
    if n < 2:
        raise DegenerateEmbeddingError(f"{n} rows differ from zero; two are needed.")
