"""Relative representations: cosines to shared anchors, decoded into the target's space."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from semasia.comparison.alignment.linear import least_squares
from semasia.comparison.alignment.method import Alignment
from semasia.comparison.alignment.paired import Paired
from semasia.comparison.alignment.sides import Side, row_blocks


class Relative(Alignment):
    """Cosines of a row to k anchors, decoded by least squares from the cosines in B to B.

    Nothing but the choice of anchors is learned about A: the decoder is fitted on B alone, and
    reads the cosines in A as if they were those in B. Lengths of rows are lost, so that the error
    between equal models is not zero. A row of zeros has cosine 0 with all. The seed draws the
    anchors from the training pairs; those for a smaller k are among those for a larger one.

    Attributes
    ----------
    anchors : (max k,) int array
        Numbers of the training rows that are anchors.

    References
    ----------
    Moschella et al. (2023), ICLR, section 3; the decoder is ours. Beyond the Semasia paper.
    """

    name: ClassVar[str] = "relative"
    definition: ClassVar[str] = (
        "cosines to k anchors, decoded to B by least squares from the cosines in B"
    )
    source: ClassVar[str] = "beyond the Semasia paper; Moschella et al. (2023)"
    meaning_of_k: ClassVar[str] = "anchors, at most the number of training pairs"
    beyond_paper: ClassVar[bool] = True

    anchors: np.ndarray
    _anchors_a: np.ndarray
    _decoders: dict[int, tuple[np.ndarray, np.ndarray]]

    @classmethod
    def largest_k(cls, paired: Paired) -> int:
        """Return the number of training pairs."""
        return paired.n

    def _fit(self, paired: Paired) -> None:
        self.anchors = paired.drawn(self.seed)[: max(self.ks)]
        self._anchors_a = _directions(paired.a.rows[self.anchors])
        cosines = _cosines(paired.b.rows, _directions(paired.b.rows[self.anchors]))
        self._decoders = {}
        for k in self.ks:
            side = Side(cosines[:, :k], "cosines to anchors in B")
            cross = Paired(side, paired.b).cross
            # There are no more anchors than pairs, so that coordinates are the cosines themselves.
            self._decoders[k] = side.mean, least_squares(side, cross)

    def _sent(self, rows: np.ndarray, k: int) -> np.ndarray:
        mean, decoder = self._decoders[k]
        return (_cosines(rows, self._anchors_a[:k]) - mean) @ decoder


def _directions(rows: np.ndarray) -> np.ndarray:
    """Return float64 rows of norm one; those of zeros stay."""
    rows = np.asarray(rows, np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)


def _cosines(rows: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Return (n, k) cosines of (n, d) rows with (k, d) anchors of norm one."""
    found = np.empty((len(rows), len(anchors)))
    for part in row_blocks(len(rows), rows.shape[1]):
        found[part] = _directions(rows[part]) @ anchors.T
    return found
