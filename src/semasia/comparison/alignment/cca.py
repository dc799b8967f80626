"""CCA: transmission through the k most correlated directions of both spaces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import scipy.linalg

from semasia.comparison.alignment.method import Alignment
from semasia.comparison.alignment.paired import Paired
from semasia.comparison.alignment.sides import Side
from semasia.comparison.alignment.whitening import EPSILON, check_reach
from semasia.decomposition import svd


class CCA(Alignment):
    """Canonical correlation analysis on raw rows: b̂ = (a − μ_A) W_A W_B⁺ + μ_B.

    W_A = S_AA^(−1/2) U and W_B = S_BB^(−1/2) V, from one decomposition S_AA^(−1/2) S_AB S_BB^(−1/2)
    = U Σ Vᵀ for all k. With W_B = Q R, the pseudo-inverse of its first k columns is R_k⁻¹ Q_kᵀ, so
    that each further k costs one triangular solve. The correlations Σ do not scale what is sent, as
    the paper has it: weakly correlated directions are sent at full length, and the error may rise
    with k. Directions without variance are left out of the roots, and those whose correlation is
    rounding, paired by chance, are never sent; where that are some of k, :meth:`remark` says so.

    Attributes
    ----------
    correlations : (r,) array
        Canonical correlations, descending; below 1 by what ε adds to the variances.

    References
    ----------
    Semasia, Appendix E.3.3; Hotelling (1936), Biometrika 28.
    """

    name: ClassVar[str] = "cca"
    definition: ClassVar[str] = (
        "projection on the k leading canonical directions of A, lifted by the pseudo-inverse of "
        "those of B"
    )
    source: ClassVar[str] = "Semasia, Appendix E.3.3; Hotelling (1936)"
    meaning_of_k: ClassVar[str] = "canonical directions, at most the smaller width"

    correlations: np.ndarray
    _left: np.ndarray
    _right: dict[int, np.ndarray]

    def _fit(self, paired: Paired) -> None:
        for side in (paired.a, paired.b):
            check_reach(side.covariance, side.name)
        root_a, root_b = _inverse_root(paired.a), _inverse_root(paired.b)
        T = root_a @ paired.cross @ root_b
        U, self.correlations, Vt = svd(T)
        # What rounding in S_AB becomes where the roots enlarge it most.
        enlarged = np.sqrt(paired.a.condition * paired.b.condition)
        rounding = max(T.shape) * np.finfo(float).eps * enlarged
        kept = min(max(self.ks), int((self.correlations > rounding).sum()))
        self._left = root_a @ U[:, :kept]
        Q, R = np.linalg.qr(root_b @ Vt[:kept].T)
        self._right = {
            k: scipy.linalg.solve_triangular(R[:k, :k], Q[:, :k].T, check_finite=False)
            for k in {min(k, kept) for k in self.ks}
        }

    def remark(self, k: int) -> str | None:
        kept = self._left.shape[1]
        if kept >= k:
            return self.paired.ordered_by_rounding(k)
        return f"{kept} of {k} directions are sent: the correlations of the others are rounding."

    def _sent(self, rows: np.ndarray, k: int) -> np.ndarray:
        return self._from_canonical(self.paired.a.coordinates(rows) @ self._left[:, :k], k)

    def _swept(self, block: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        canonical = self.paired.a.coordinates(block) @ self._left
        for k in self.ks:
            yield k, self._from_canonical(canonical[:, :k], k)

    def _from_canonical(self, z: np.ndarray, k: int) -> np.ndarray:
        return z @ self._right[min(k, self._left.shape[1])]


def _inverse_root(side: Side) -> np.ndarray:
    """Return (r, r) (S + εI)^(−1/2) by the spectral decomposition, of directions with variance."""
    values, vectors = side.spectrum
    alive = values > side.least_variance
    return (vectors[:, alive] / np.sqrt(values[alive] + EPSILON)) @ vectors[:, alive].T
