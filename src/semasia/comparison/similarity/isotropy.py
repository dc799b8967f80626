"""How far two spaces differ in isotropy, as the geometry table defines it."""

from __future__ import annotations

from typing import Any

import numpy as np

from semasia.comparison.similarity.cka import check_rows
from semasia.comparison.similarity.intervals import Blocks
from semasia.comparison.similarity.products import centred
from semasia.geometry.further import isotropy_spectral
from semasia.geometry.metrics import checked, spectrum
from semasia.geometry.moments import moments


def isotropy_delta(A: Any, B: Any) -> float:
    """|I(A) − I(B)|, I the smallest over the largest variance of a dimension; in [0, 1].

    Errors as :func:`semasia.comparison.similarity.linear_cka`.

    References
    ----------
    Semasia, Appendix F.1.
    """
    check_rows(len(A), len(B))
    return abs(isotropy_of(centred(A)) - isotropy_of(centred(B)))


def isotropy_spectral_delta(A: Any, B: Any) -> float:
    """|J(A) − J(B)|, J the smallest over the largest of the d singular values; in [0, 1].

    J is 0 where fewer than d of them differ from zero. Errors as
    :func:`semasia.comparison.similarity.linear_cka`.
    """
    check_rows(len(A), len(B))
    found = []
    for Z in (A, B):
        rows = checked(Z)
        centred(rows)  # refuses what has no isotropy
        found.append(isotropy_spectral(spectrum(moments([rows])), rows.shape[1]))
    return abs(found[0] - found[1])


def isotropy_of(rows: np.ndarray) -> float:
    """Return the isotropy of (n, d) centred rows."""
    variances = np.einsum("ij,ij->j", rows, rows, dtype=np.float64)
    return float(variances.min() / variances.max())


def isotropies_left_out(rows: np.ndarray, blocks: Blocks) -> np.ndarray:
    """Return the isotropy of (n, d) centred rows with each block left out, about its own mean.

    Returns
    -------
    (g,) float64 array
    """
    squares = np.einsum("ij,ij->j", rows, rows, dtype=np.float64)
    found = []
    for block in blocks.members():
        gone = rows[block].astype(np.float64)
        rest = len(rows) - len(gone)
        # The rows that stay sum to what the block sums to, with the other sign.
        left = squares - np.square(gone).sum(axis=0) - np.square(gone.sum(axis=0)) / rest
        left = np.maximum(left, 0)
        found.append(left.min() / left.max() if left.max() > 0 else np.nan)
    return np.array(found)
