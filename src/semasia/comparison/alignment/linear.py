"""Linear: the least-squares map between whitened spaces, truncated to rank k."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import scipy.linalg

from semasia.comparison.alignment.method import Factored
from semasia.comparison.alignment.paired import Paired
from semasia.comparison.alignment.sides import Side
from semasia.decomposition import svd


class Linear(Factored):
    """Rank-k truncated least-squares map, from covariances alone.

    With M = C_A⁺ C_AB, the least-squares map of centred rows, the operator between the whitened
    spaces is A = Z_B Z_A⁺ = L_B⁻¹ Mᵀ L_A: the inverse L_A⁻¹ of whitening cancels, in directions
    without variance too, as both sides vanish there. Its singular value decomposition is found once
    and serves every k. The mean squared error over training rows in the whitened space of B falls
    with k, by σ² v ᵀ G v for each direction v, G the whitened covariance of A; in the space of B as
    stored it may rise. At full rank the map is ordinary least squares with intercept.

    Attributes
    ----------
    singular_values : (r,) array
        Of the operator, descending.

    References
    ----------
    Semasia, Appendix E.3.2.
    """

    name: ClassVar[str] = "linear"
    definition: ClassVar[str] = (
        "least-squares map between the whitened spaces, truncated to its k largest singular values"
    )
    source: ClassVar[str] = "Semasia, Appendix E.3.2"
    meaning_of_k: ClassVar[str] = "rank of the map, at most the smaller width"

    singular_values: np.ndarray

    def _fit(self, paired: Paired) -> None:
        a, b = paired.a, paired.b
        # Transposed: rows are mapped from the right, as everywhere here.
        operator = a.whitening.factor.T @ least_squares(a, paired.cross)
        operator = b.whitening.whiten(operator)
        U, values, Vt = svd(operator)
        kept = max(self.ks)
        self.singular_values = values
        self.left = scipy.linalg.solve_triangular(
            a.whitening.factor, U[:, :kept], lower=True, trans=1, check_finite=False
        )
        self.right = b.whitening.dewhiten(values[:kept, None] * Vt[:kept])

    def remark(self, k: int) -> str | None:
        return self.paired.ordered_by_rounding(k)


def least_squares(side: Side, cross: np.ndarray) -> np.ndarray:
    """Return (rA, q) C_A⁺ C_AY, the least-squares map of least norm from A to (n, q) values.

    Directions whose variance is rounding are left out.

    Parameters
    ----------
    side : Side
    cross : (rA, q) array
        Covariance of the coordinates with the values, divided by n − 1.
    """
    values, vectors = side.spectrum
    kept = values > side.least_variance
    vectors = vectors[:, kept]
    return vectors @ ((vectors.T @ cross) / values[kept, None])
