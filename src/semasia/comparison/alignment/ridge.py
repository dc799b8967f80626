"""Ridge: an affine map of raw rows, held back where few rows say little, of rank k."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from semasia.comparison.alignment.method import Factored
from semasia.comparison.alignment.paired import Paired
from semasia.decomposition import eigh
from semasia.geometry.probes.least_squares import RIDGE


class Ridge(Factored):
    """Affine ridge regression of B on A, of rank k by reduced-rank regression.

    Minimises Σ ‖b − Wᵀ(a − μ_A) − μ_B‖² / (n − 1) + α ‖W‖² with W of rank k: the solution of full
    rank, its outputs projected on the k leading principal directions of its fitted values, those of
    the penalty's rows included. α is :data:`RIDGE` · tr(C_A) / n, as in the least-squares probe: as
    if a tenth of a row per dimension had been added, spread evenly over all directions.

    Attributes
    ----------
    strength : float
        α, in units of variance.

    References
    ----------
    Hoerl & Kennard (1970), Technometrics 12; Mukherjee & Zhu (2011), Statistical Analysis and Data
    Mining 4, for the reduced rank. Beyond the Semasia paper.
    """

    name: ClassVar[str] = "ridge"
    definition: ClassVar[str] = (
        "affine ridge regression, outputs projected on the k leading directions of fitted values"
    )
    source: ClassVar[str] = (
        "beyond the Semasia paper; Hoerl & Kennard (1970), Mukherjee & Zhu (2011)"
    )
    meaning_of_k: ClassVar[str] = "rank of the map, at most the smaller width"
    beyond_paper: ClassVar[bool] = True

    strength: float

    def _fit(self, paired: Paired) -> None:
        values, vectors = paired.a.spectrum
        self.strength = RIDGE * float(values.sum()) / paired.n
        shrunk = values + max(self.strength, np.finfo(float).tiny)
        W = vectors @ ((vectors.T @ paired.cross) / shrunk[:, None])
        fitted = paired.cross.T @ W
        leading = eigh(fitted, last=max(self.ks))[1][:, ::-1]
        self.left, self.right = W @ leading, leading.T
