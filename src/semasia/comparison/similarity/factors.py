"""The measures that compare subspaces and directions: SVCCA, PWCCA, principal angles, Procrustes.

All are functions of the thin singular value decompositions A = U S Vᵀ of the two centred spaces
and of M = U_Aᵀ U_B, whose size is that of the ranks: one product serves them all. Ranks are at most
n − 1, so that with fewer rows than dimensions everything happens on the side of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from semasia.comparison.similarity.cka import check_rows
from semasia.comparison.similarity.products import centred, cross_products
from semasia.decomposition import singular_values, svd
from semasia.errors import ComparisonError

VARIANCE_KEPT = 0.99
SUBSPACE_K = 10
# A singular value below this share of the largest is rounding error; its square is what the
# geometry of one space takes for an eigenvalue of zero.
RANK_SHARE = 1e-7


@dataclass(frozen=True)
class Factors:
    """The thin singular value decomposition of a centred space, zero singular values left out.

    Attributes
    ----------
    left : (n, r) float64 array
        Orthonormal columns.
    values : (r,) float64 array
        Singular values, largest first, in an unnamed unit.
    right : (r, d) float64 array
        Orthonormal rows.
    """

    left: np.ndarray
    values: np.ndarray
    right: np.ndarray


def factors(Z: Any) -> Factors:
    """Decompose a space. Memory is about 8 (3 n d + 6 min(n, d)²) bytes while it lasts.

    Errors as :func:`semasia.comparison.similarity.linear_cka`.
    """
    rows = centred(Z, np.float64)
    left, values, right = svd(rows)
    rank = int((values > RANK_SHARE * values[0]).sum())
    rank = min(rank, len(rows) - 1)
    # Copies, so that what is left out is not kept in memory.
    return Factors(left[:, :rank].copy(), values[:rank], right[:rank].copy())


def svcca(A: Any, B: Any) -> float:
    """Mean canonical correlation of the directions that hold 99 % of each variance, in [0, 1].

    Parameters
    ----------
    A : (n, dA) array-like of float
    B : (n, dB) array-like of float

    Raises
    ------
    ComparisonError
        If the numbers of rows differ or are less than two.
    DegenerateEmbeddingError
        If a value is not finite, or all rows of one coincide.

    References
    ----------
    Raghu, Gilmer, Yosinski & Sohl-Dickstein (2017), NeurIPS, section 2.1.
    """
    a, b = _both(A, B)
    return svcca_of(cross_products(a.left, b.left), a.values, b.values)


def pwcca(A: Any, B: Any) -> float:
    """Mean canonical correlation, weighted by how much of A its variates account for; in [0, 1].

    The weight of a variate h is Σⱼ |⟨h, xⱼ⟩| over the centred columns xⱼ of A. It follows the
    columns, so that a rotation of A changes it; and it is not symmetric in A and B. Parameters and
    errors as :func:`svcca`.

    References
    ----------
    Morcos, Raghu & Bengio (2018), NeurIPS, eq. 4.
    """
    a, b = _both(A, B)
    return pwcca_of(cross_products(a.left, b.left), a.values, a.right)


def subspace_overlap(A: Any, B: Any, k: int = SUBSPACE_K) -> float:
    """Mean squared cosine of the principal angles of the top-k left singular subspaces, in [0, 1].

    About k / (n − 1) for independent spaces. Parameters and errors as :func:`svcca`, and a
    ComparisonError where a space has no k directions, or the k-th and the next singular value are
    equal, so that no subspace of k dimensions stands out.

    References
    ----------
    Björck & Golub (1973), Mathematics of Computation 27, for the angles.
    """
    a, b = _both(A, B)
    return subspace_overlap_of(cross_products(a.left, b.left), a.values, b.values, k)


def procrustes_distance(A: Any, B: Any) -> float:
    """Squared distance min over rotations Q of ‖A − BQ‖²_F, both centred and of unit norm; [0, 2].

    2 − 2 ‖AᵀB‖_*, the sum of singular values. The narrower space counts as padded with zeros.
    Parameters and errors as :func:`svcca`.

    References
    ----------
    Schönemann (1966), Psychometrika 31; Ding, Denain & Steinhardt (2021), NeurIPS, section 3.
    """
    a, b = _both(A, B)
    return procrustes_of(cross_products(a.left, b.left), a.values, b.values)


def svcca_of(M: np.ndarray, values_a: np.ndarray, values_b: np.ndarray) -> float:
    """Return SVCCA from M = U_Aᵀ U_B and the singular values."""
    kept = M[: holding(values_a), : holding(values_b)]
    return float(_correlations(kept).mean())


def pwcca_of(M: np.ndarray, values_a: np.ndarray, right_a: np.ndarray) -> float:
    """Return PWCCA from M = U_Aᵀ U_B, and the singular values and right factors of A."""
    directions, correlations, _ = svd(M)
    weights = np.abs((directions * values_a[:, None]).T @ right_a).sum(axis=1)
    # A mean of ones may come out above one by rounding.
    return float(min(weights @ np.clip(correlations, 0, 1) / weights.sum(), 1.0))


def subspace_overlap_of(
    M: np.ndarray, values_a: np.ndarray, values_b: np.ndarray, k: int = SUBSPACE_K
) -> float:
    """Return the subspace overlap from M = U_Aᵀ U_B and the singular values."""
    for values in (values_a, values_b):
        if k < 1:
            raise ComparisonError(f"a subspace has one dimension or more, not {k}.")
        if len(values) < k:
            raise ComparisonError(f"a space has {len(values)} directions; {k} are needed.")
        if len(values) > k and not values[k - 1] - values[k] > 1e-12 * values[0]:
            raise ComparisonError(
                f"singular values {k} and {k + 1} of a space are equal: its first {k} directions "
                "are not determined."
            )
    return float(min(np.square(M[:k, :k]).sum() / k, 1.0))


def procrustes_of(M: np.ndarray, values_a: np.ndarray, values_b: np.ndarray) -> float:
    """Return the squared Procrustes distance from M = U_Aᵀ U_B and the singular values."""
    left, right = (v / np.linalg.norm(v) for v in (values_a, values_b))
    scaled = left[:, None] * M * right
    nuclear = singular_values(scaled)
    return float(np.clip(2 - 2 * nuclear.sum(), 0, 2))


def holding(values: np.ndarray) -> int:
    """Return how many of the first directions hold the share of variance that SVCCA keeps."""
    shares = np.cumsum(np.square(values)) / np.square(values).sum()
    # A sum that reaches the share but for rounding counts as having reached it.
    return int(np.searchsorted(shares, VARIANCE_KEPT - 1e-12)) + 1


def _correlations(M: np.ndarray) -> np.ndarray:
    return np.clip(singular_values(M), 0, 1)


def _both(A: Any, B: Any) -> tuple[Factors, Factors]:
    a, b = factors(A), factors(B)
    check_rows(len(a.left), len(b.left))
    return a, b
