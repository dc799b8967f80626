"""Singular values that are found in every case."""

from __future__ import annotations

import numpy as np
import scipy.linalg


def svd(M: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the thin decomposition U, σ, Vᵀ of a finite (m, n) matrix, σ descending.

    LAPACK's divide and conquer is several times as fast as its QR iteration, and fails now and then
    where many singular values agree, as those of two spaces that both fill all rows do.
    """
    try:
        return scipy.linalg.svd(M, full_matrices=False, check_finite=False)
    except np.linalg.LinAlgError:
        return scipy.linalg.svd(M, full_matrices=False, lapack_driver="gesvd")


def singular_values(M: np.ndarray) -> np.ndarray:
    """Return the singular values of a finite (m, n) matrix, descending."""
    try:
        return np.asarray(scipy.linalg.svd(M, compute_uv=False, check_finite=False))
    except np.linalg.LinAlgError:
        return np.asarray(scipy.linalg.svd(M, compute_uv=False, lapack_driver="gesvd"))
