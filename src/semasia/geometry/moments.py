"""Moments of an embedding in one pass over its rows: count, mean, scatter, class sums.

Everything spectral, and the least-squares probe, is a function of these; memory is d², not n.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Moments:
    """First and second moments of an (n, d) embedding, in float64.

    Attributes
    ----------
    n : int
    mean : (d,) array
    scatter : (d, d) array
        Σ (z − mean)(z − mean)ᵀ, not divided by n.
    class_counts : dict of (c,) int64 arrays
        Rows per class, for each label column.
    class_sums : dict of (c, d) arrays
        Sum of (z − mean) over the rows of each class, for each label column.
    """

    n: int
    mean: np.ndarray
    scatter: np.ndarray
    class_counts: dict[str, np.ndarray]
    class_sums: dict[str, np.ndarray]

    @property
    def variances(self) -> np.ndarray:
        """(d,) variance of each dimension, divided by n."""
        return np.clip(np.diag(self.scatter), 0, None) / self.n


def moments(
    blocks: Iterable[np.ndarray],
    labels: Mapping[str, np.ndarray] | None = None,
    classes: Mapping[str, int] | None = None,
) -> Moments:
    """Accumulate moments over blocks of rows.

    Blocks are centred on the mean of the first one before their products are summed, and the sums
    are moved to the true mean at the end, so that a mean far from the origin costs no precision
    (Chan, Golub & LeVeque, 1983).

    Parameters
    ----------
    blocks : iterable of (b, d) float arrays
        The rows, in order.
    labels : mapping of (n,) int arrays, optional
        Label columns, in the order of the rows.
    classes : mapping of int, optional
        Number of classes of each label column.
    """
    labels = labels or {}
    classes = classes or {}
    n = 0
    shift = total = scatter = np.zeros(0)
    sums: dict[str, np.ndarray] = {}
    for block in blocks:
        rows = np.asarray(block, np.float64)
        if n == 0:
            d = rows.shape[1]
            shift = rows.mean(axis=0)
            total, scatter = np.zeros(d), np.zeros((d, d))
            sums = {c: np.zeros((classes[c], d)) for c in labels}
        rows = rows - shift
        total += rows.sum(axis=0)
        scatter += rows.T @ rows
        for column, values in labels.items():
            _add_by_class(sums[column], rows, values[n : n + len(rows)])
        n += len(rows)
    offset = total / max(n, 1)
    counts = {c: np.bincount(v, minlength=classes[c]) for c, v in labels.items()}
    for column, count in counts.items():
        sums[column] -= count[:, None] * offset
    return Moments(
        n=n,
        mean=shift + offset,
        scatter=scatter - n * np.outer(offset, offset),
        class_counts=counts,
        class_sums=sums,
    )


def _add_by_class(sums: np.ndarray, rows: np.ndarray, values: np.ndarray) -> None:
    """Add each row to the sum of its class."""
    order = np.argsort(values, kind="stable")
    present, starts = np.unique(values[order], return_index=True)
    if len(present):
        sums[present] += np.add.reduceat(rows[order], starts, axis=0)
