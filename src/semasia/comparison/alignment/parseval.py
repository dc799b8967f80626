"""Proto: Parseval frames of prototypical anchors, composed."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from semasia.comparison.alignment.method import Alignment
from semasia.comparison.alignment.paired import Paired
from semasia.comparison.alignment.prototypes import clustering_rows, index_set
from semasia.comparison.alignment.sides import Side
from semasia.comparison.alignment.whitening import EPSILON
from semasia.decomposition import svd
from semasia.errors import ComparisonError


class Parseval(Alignment):
    """Prototype-based Parseval frame equaliser: A = F_Rᵀ F_T between the whitened spaces.

    Frames are built from the κ prototypes of Algorithm 1, found in A; in B they are the means of
    the same rows. Appendix E.3.1 speaks of the prototypes and then of all anchor rows 𝒜: the latter
    is ``anchors="all"``. With κ ≥ d independent prototypes FᵀF = I; with fewer, the inverse square
    root is a pseudo-inverse and FᵀF the projector on their span, of rank κ.

    Parameters
    ----------
    seed : int
        Of the clusters and of the rows sampled.
    samples : int or None
        ϱ, rows sampled of each cluster. None: all of them, as in the paper's published analysis;
        its text leaves ϱ open. Ten have up to four times the error.
    anchors : "prototypes" or "all"
        What the rows of a frame are.

    References
    ----------
    Semasia, Appendix E.3.1 and D.2, Algorithm 1.
    """

    name: ClassVar[str] = "parseval"
    definition: ClassVar[str] = (
        "Parseval frames of κ prototypes of the whitened rows of A, and of the same rows of B, "
        "composed"
    )
    source: ClassVar[str] = "Semasia, Appendix E.3.1"
    meaning_of_k: ClassVar[str] = "clusters κ, at most the number of training pairs"

    def __init__(
        self,
        seed: int = 0,
        samples: int | None = None,
        anchors: Literal["prototypes", "all"] = "prototypes",
    ) -> None:
        super().__init__(seed)
        if anchors not in ("prototypes", "all"):
            raise ComparisonError(f"parseval: anchors are 'prototypes' or 'all', not {anchors!r}.")
        if samples is not None and samples < 1:
            raise ComparisonError(f"parseval: {samples} rows of a cluster; one or more are needed.")
        self.samples, self.anchors = samples, anchors

    @classmethod
    def largest_k(cls, paired: Paired) -> int:
        """Return the number of training pairs."""
        return paired.n

    def _fit(self, paired: Paired) -> None:
        whitened = clustering_rows(paired.a)
        self._operators: dict[int, np.ndarray] = {}
        for k in self.ks:
            chosen = index_set(paired, whitened, k, self.samples, self.seed)
            of = chosen.prototypes if self.anchors == "prototypes" else chosen.anchors
            F_T, F_R = (frame(of(s), rounding(s)) for s in (paired.a, paired.b))
            # Transposed, as rows are mapped from the right: F_Tᵀ F_R.
            self._operators[k] = F_T.T @ F_R

    def remark(self, k: int) -> str | None:
        if self.paired.n > self.paired.a.width:
            return None
        return (
            f"{self.paired.n} pairs for {self.paired.a.width} dimensions: whitened rows lie nearly "
            "at one distance from each other, and rounding decides their clusters."
        )

    def _sent(self, rows: np.ndarray, k: int) -> np.ndarray:
        a, b = self.paired.a, self.paired.b
        whitened = a.whitening.whiten(a.coordinates(rows))
        return b.whitening.dewhiten(whitened @ self._operators[k])


def frame(X: np.ndarray, rounding: float = 0.0) -> np.ndarray:
    """Return F = X (XᵀX)^(−1/2), (m, r), the pseudo-inverse where XᵀX is singular.

    With X = U S Vᵀ it is U Vᵀ over the singular values that are not rounding.

    Parameters
    ----------
    X : (m, r) array
    rounding : float
        Error of the values of X. Singular values below max(m, r) times it are left out, as are
        those below max(m, r) · 2⁻⁵² of the largest.
    """
    U, values, Vt = svd(X)
    kept = values > max(X.shape) * max(rounding, float(np.finfo(float).eps) * values[0])
    return U[:, kept] @ Vt[kept]


def rounding(side: Side) -> float:
    """Return the error of whitened rows: that of rows as stored, enlarged where variance is least.

    Whitening divides by √(λ + ε), which is √ε where there is no variance.
    """
    size = float(np.trace(side.covariance) + side.mean @ side.mean)
    values = side.spectrum[0]
    least = float(values[0]) if values[0] > side.least_variance else 0.0
    return float(np.finfo(float).eps) * np.sqrt(size / (least + EPSILON))
