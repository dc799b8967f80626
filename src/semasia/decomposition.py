"""Decompositions of finite matrices whose factors are finite in every case.

LAPACK's divide and conquer is several times as fast as its QR iteration. It fails now and then
where many singular values agree, as those of two spaces that both fill all rows do: with an error,
or with NaN in the factors and none. Both are found here, and the slower driver is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg

from semasia.errors import DecompositionError


def svd(M: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the thin decomposition U, σ, Vᵀ of a finite (m, n) matrix, σ descending.

    Raises
    ------
    DecompositionError
        If a value is not finite, or no driver finds finite factors.
    """
    return _first_finite(
        M,
        lambda: scipy.linalg.svd(M, full_matrices=False, check_finite=False),
        lambda: scipy.linalg.svd(M, full_matrices=False, check_finite=False, lapack_driver="gesvd"),
    )


def singular_values(M: np.ndarray) -> np.ndarray:
    """Return the singular values of a finite (m, n) matrix, descending. Errors as :func:`svd`."""
    (values,) = _first_finite(
        M,
        lambda: (scipy.linalg.svd(M, compute_uv=False, check_finite=False),),
        lambda: (scipy.linalg.svd(M, compute_uv=False, check_finite=False, lapack_driver="gesvd"),),
    )
    return np.asarray(values)


def eigh(M: np.ndarray, last: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues, ascending, and eigenvectors of a finite symmetric (n, n) matrix.

    Parameters
    ----------
    M : (n, n) array
    last : int, optional
        Only so many of the largest, at least 1.

    Returns
    -------
    values : (r,) array
    vectors : (n, r) array
        Orthonormal columns.

    Raises
    ------
    DecompositionError
        As :func:`svd`.
    """
    n = len(M)
    some = None if last is None or last >= n else [n - last, n - 1]

    def whole() -> tuple[np.ndarray, ...]:
        values, vectors = scipy.linalg.eigh(M, check_finite=False, driver="ev")
        return (values, vectors) if some is None else (values[some[0] :], vectors[:, some[0] :])

    values, vectors = _first_finite(
        M, lambda: scipy.linalg.eigh(M, check_finite=False, subset_by_index=some), whole
    )
    return values, vectors


def eigenvalues(M: np.ndarray) -> np.ndarray:
    """Return the eigenvalues of a finite symmetric (n, n) matrix, ascending.

    Errors as :func:`svd`.
    """
    (values,) = _first_finite(
        M,
        lambda: (scipy.linalg.eigh(M, eigvals_only=True, check_finite=False),),
        lambda: (scipy.linalg.eigh(M, eigvals_only=True, check_finite=False, driver="ev"),),
    )
    return np.asarray(values)


def rank(M: np.ndarray) -> int:
    """Return how many singular values of a finite (m, n) matrix are above rounding error.

    As NumPy's, above max(m, n) ε times the largest. Errors as :func:`svd`.
    """
    values = singular_values(M)
    return int((values > values.max(initial=0) * max(M.shape) * np.finfo(values.dtype).eps).sum())


def _first_finite(M: np.ndarray, *ways: Callable[[], Any]) -> Any:
    """Return the first factors that are all finite."""
    for way in ways:
        try:
            factors = way()
        # A value that is not finite is told as one or as the other.
        except (np.linalg.LinAlgError, ValueError):
            continue
        if all(np.isfinite(factor).all() for factor in factors):
            return factors
    if not np.isfinite(M).all():
        raise DecompositionError("a value of the matrix is not finite: it has no decomposition.")
    shape = " × ".join(str(size) for size in M.shape)
    raise DecompositionError(f"no driver of LAPACK decomposes this finite {shape} matrix.")
