"""Procrustes: a rotation and one scale, the stiffest of the maps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from semasia.comparison.alignment.method import Factored
from semasia.comparison.alignment.paired import Paired
from semasia.decomposition import svd


class Procrustes(Factored):
    """Orthogonal Procrustes of centred rows with a scale: b̂ = s_k (a − μ_A) U_k V_kᵀ + μ_B.

    U Σ Vᵀ is the cross-covariance. Where widths differ, U Vᵀ has orthonormal rows or columns. The
    scale is the one of least error for the k directions that are kept, s_k = Σ_{i≤k} σ_i /
    tr(U_kᵀ C_A U_k); for k = dA it is the classic one.

    References
    ----------
    Schönemann (1966), Psychometrika 31; Schönemann & Carroll (1970), Psychometrika 35, for the
    scale. Beyond the Semasia paper.
    """

    name: ClassVar[str] = "procrustes"
    definition: ClassVar[str] = (
        "rotation of the k leading directions of the cross-covariance, with one scale"
    )
    source: ClassVar[str] = "beyond the Semasia paper; Schönemann (1966)"
    meaning_of_k: ClassVar[str] = "directions that are rotated, at most the smaller width"
    beyond_paper: ClassVar[bool] = True

    scales: np.ndarray

    def _fit(self, paired: Paired) -> None:
        U, values, Vt = svd(paired.cross)
        rounding = max(paired.cross.shape) * np.finfo(float).eps * values[0]
        kept = min(max(self.ks), int((values > rounding).sum()))
        self.left, self.right = U[:, :kept], Vt[:kept]
        spread = np.einsum("ij,ij->j", self.left, paired.a.covariance @ self.left)
        self.scales = np.cumsum(values[:kept]) / np.cumsum(spread)

    def _sent(self, rows: np.ndarray, k: int) -> np.ndarray:
        return super()._sent(rows, k) * self._scale(k)

    def _swept(self, block: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        for k, turned in super()._swept(block):
            yield k, turned * self._scale(k)

    def _scale(self, k: int) -> float:
        return self.scales[min(k, len(self.scales)) - 1] if len(self.scales) else 0.0
