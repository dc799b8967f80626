"""Moments of an embedding in one pass over its rows: count, mean, scatter, class sums.

Everything spectral, and the least-squares probe, is a function of these. Memory is the scatter
matrix and one block of rows in float64: d², not n.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import get_blas_funcs

from semasia.errors import DegenerateEmbeddingError

if TYPE_CHECKING:
    import torch

# Values that are held in float64 at a time. Blocks of at least d/8 rows keep the cost of adding to
# the d² scatter below that of the products.
_BLOCK_VALUES = 2**20


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
    device: str | torch.device | None = None,
) -> Moments:
    """Accumulate moments over blocks of rows.

    Rows are centred in float64 on the mean of the first of them, before their products are summed
    in float64, and the sums are moved to the true mean at the end, so that a mean far from the
    origin costs no precision (Chan, Golub & LeVeque, 1983). Products in float32 would be faster,
    but put an error of 10⁻⁸ of the largest eigenvalue on every one, hence 10⁻⁴ of the largest
    singular value on those that are zero, which the spectral entropy sums.

    Parameters
    ----------
    blocks : iterable of (b, d) float arrays
        The rows, in order.
    labels : mapping of (n,) int arrays, optional
        Label columns, in the order of the rows.
    classes : mapping of int, optional
        Number of classes of each label column.
    device : str or torch.device, optional
        Where products are summed; it must compute in float64. None: on the processor, by BLAS.

    Raises
    ------
    DegenerateEmbeddingError
        If a value is not finite; the message names the row.
    """
    labels, classes = labels or {}, classes or {}
    blocks = iter(blocks)
    first = next((block for block in blocks if len(block)), np.zeros((0, 0)))
    d = first.shape[1]
    head = first[: _step(d)]
    shift = head.mean(axis=0, dtype=np.float64) if len(head) else np.zeros(0)
    if not np.isfinite(shift).all():
        _raise_for_row(head, 0)
    n, total = 0, np.zeros(d)
    products: Any = _BlasProducts(d) if device is None else _TorchProducts(d, device)
    sums = {c: np.zeros((classes[c], d)) for c in labels}
    for rows in in_float64(chain([first], blocks), minus=shift):
        added = rows.sum(axis=0)
        if not np.isfinite(added).all():
            _raise_for_row(rows, n)
        total += added
        products.add(rows)
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
        scatter=products.sum_about(n, offset) if n else np.zeros((0, 0)),
        class_counts=counts,
        class_sums=sums,
    )


def in_float64(
    blocks: Iterable[np.ndarray], minus: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Yield the rows of blocks, in smaller blocks of float64, less ``minus`` where it is given.

    All are one piece of memory: the caller may change a block, and must not keep it.
    """
    room: np.ndarray = np.empty((0, 0))
    for block in blocks:
        step = _step(block.shape[1])
        for start in range(0, len(block), step):
            rows = block[start : start + step]
            if room.shape[1] != rows.shape[1] or len(room) < len(rows):
                room = np.empty(rows.shape)
            held = room[: len(rows)]
            if minus is None:
                held[:] = rows
            else:
                np.subtract(rows, minus, out=held)
            yield held


def _step(width: int) -> int:
    """Return how many rows of this width are held in float64 at a time."""
    return max(1, width // 8, _BLOCK_VALUES // max(width, 1))


def _raise_for_row(rows: np.ndarray, start: int) -> None:
    """Raise for the first row that is not finite, if there is one: sums overflow without it too."""
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        raise DegenerateEmbeddingError(f"row {start + bad[0]} is not finite.")


class _BlasProducts:
    """The sum of products on the processor: one triangle, added to in place."""

    def __init__(self, d: int) -> None:
        self._sum = np.zeros((d, d), order="F")
        self._syrk: Any = get_blas_funcs("syrk", dtype=np.float64)

    def add(self, rows: np.ndarray) -> None:
        # The transpose of rows in C order is what Fortran takes, without a copy.
        self._sum = self._syrk(1.0, rows.T, beta=1.0, c=self._sum, overwrite_c=1, lower=1)

    def sum_about(self, n: int, offset: np.ndarray) -> np.ndarray:
        scatter = self._sum
        for j in range(len(offset)):
            scatter[j:, j] -= n * offset[j] * offset[j:]
            scatter[j, j:] = scatter[j:, j]
        return scatter


class _TorchProducts:
    """The sum of products on a device of torch."""

    def __init__(self, d: int, device: str | torch.device) -> None:
        import torch

        self._as_tensor = lambda a: torch.from_numpy(a).to(device)
        self._sum = torch.zeros((d, d), dtype=torch.float64, device=device)

    def add(self, rows: np.ndarray) -> None:
        there = self._as_tensor(rows)
        self._sum.addmm_(there.T, there)

    def sum_about(self, n: int, offset: np.ndarray) -> np.ndarray:
        there = self._as_tensor(offset)
        self._sum.addr_(there, there, alpha=-n)
        return self._sum.cpu().numpy()


def _add_by_class(sums: np.ndarray, rows: np.ndarray, values: np.ndarray) -> None:
    """Add each row to the sum of its class."""
    order = np.argsort(values, kind="stable")
    present, starts = np.unique(values[order], return_index=True)
    if len(present):
        sums[present] += np.add.reduceat(rows[order], starts, axis=0)
