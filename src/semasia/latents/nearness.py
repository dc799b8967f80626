"""How near vectors that were computed twice are to each other."""

from __future__ import annotations

import numpy as np


def nearness(found: np.ndarray, exact: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compare (n, d) vectors row by row, in float64.

    Returns
    -------
    (n,) float64 array
        Cosines; 1 for equal rows, those of zeros included, and 0 where one of two is zero.
    (n,) float64 array
        Lengths of the differences, each divided by the longer of its two vectors: in [0, 2].
    """
    a, b = found.astype(np.float64), exact.astype(np.float64)
    lengths = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    apart = np.linalg.norm(a - b, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = np.sum(a * b, axis=1) / (lengths[0] * lengths[1])
        error = apart / np.maximum(*lengths)
    same = apart == 0
    return (
        np.where(same, 1.0, np.nan_to_num(cosine, nan=0.0)),
        np.where(same, 0.0, np.nan_to_num(error, nan=2.0)),
    )
