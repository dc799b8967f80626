"""Moments of an embedding in one pass over its rows: count, mean, scatter, class sums.

Everything spectral, and the least-squares probe, is a function of these. Memory is the scatter
matrix and one block of rows in float64: d², not n.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from semasia.errors import DegenerateEmbeddingError
from semasia.geometry.classes import numbered, values_that_occur
from semasia.geometry.lanes import two_at_a_time
from semasia.geometry.products import BlasProducts, TorchProducts

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
    class_values : dict of (c,) int arrays
        The labels that classes 0, 1, … stand for, of columns whose labels are far from contiguous.
    """

    n: int
    mean: np.ndarray
    scatter: np.ndarray
    class_counts: dict[str, np.ndarray]
    class_sums: dict[str, np.ndarray]
    class_values: dict[str, np.ndarray] = field(default_factory=dict)

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
    labels, classes = dict(labels or {}), dict(classes or {})
    class_values = {}
    for column, found in labels.items():
        if (occurring := values_that_occur(found, classes[column])) is not None:
            class_values[column] = occurring
            labels[column], classes[column] = numbered(found, occurring), len(occurring)
    blocks = iter(blocks)
    first = next((block for block in blocks if len(block)), np.zeros((0, 0)))
    d = first.shape[1]
    head = first[: _step(d, lanes=1)]
    shift = head.mean(axis=0, dtype=np.float64) if len(head) else np.zeros(0)
    if not np.isfinite(shift).all():
        _raise_for_row(head, 0)
    pieces = _pieces(chain([first], blocks), lanes=2)
    if device is None:
        summed = _in_two_lanes(pieces, shift, labels, classes)
    else:
        summed = _Lane(shift, labels, classes, TorchProducts(d, device))
        for start, rows in pieces:
            summed.add(start, rows)
    n = summed.n
    offset = summed.total / max(n, 1)
    counts = {c: np.bincount(v, minlength=classes[c]) for c, v in labels.items()}
    for column, count in counts.items():
        summed.class_sums[column] -= count[:, None] * offset
    return Moments(
        n=n,
        mean=shift + offset,
        scatter=summed.products.sum_about(n, offset) if n else np.zeros((0, 0)),
        class_counts=counts,
        class_sums=summed.class_sums,
        class_values=class_values,
    )


class _Lane:
    """Sums over pieces of rows, less a shift."""

    def __init__(
        self,
        shift: np.ndarray,
        labels: Mapping[str, np.ndarray],
        classes: Mapping[str, int],
        products: Any,
    ) -> None:
        self.n = 0
        self.total = np.zeros(len(shift))
        self.products = products
        self.class_sums = {c: np.zeros((classes[c], len(shift))) for c in labels}
        self._shift, self._labels = shift, labels
        self._room: np.ndarray = np.empty((0, len(shift)))

    def add(self, start: int, rows: np.ndarray) -> None:
        """Add rows, of which the first is row ``start`` of all."""
        if len(self._room) < len(rows):
            self._room = np.empty(rows.shape)
        held = np.subtract(rows, self._shift, out=self._room[: len(rows)])
        added = held.sum(axis=0)
        if not np.isfinite(added).all():
            _raise_for_row(held, start)
        self.n += len(rows)
        self.total += added
        self.products.add(held)
        for column, values in self._labels.items():
            _add_by_class(self.class_sums[column], held, values[start : start + len(rows)])

    def take(self, other: _Lane) -> None:
        """Add what another lane summed."""
        self.n += other.n
        self.total += other.total
        self.products.take(other.products)
        for column, sums in self.class_sums.items():
            sums += other.class_sums[column]


def _in_two_lanes(
    pieces: Iterator[tuple[int, np.ndarray]],
    shift: np.ndarray,
    labels: Mapping[str, np.ndarray],
    classes: Mapping[str, int],
) -> _Lane:
    """Sum every other piece in a thread of its own, and both sums at the end.

    So two cores do all of the work, not the products alone, and these without waiting for each
    other. What is summed in which lane does not depend on the number of threads.
    """
    first, second = next(pieces, None), next(pieces, None)
    one = _Lane(shift, labels, classes, BlasProducts(len(shift)))
    if first is not None:
        one.add(*first)
    if second is None:
        return one
    other = _Lane(shift, labels, classes, BlasProducts(len(shift)))
    turns = zip(cycle((other, one)), chain([second], pieces), strict=False)
    for _ in two_at_a_time(partial(lane.add, *piece) for lane, piece in turns):
        pass
    one.take(other)
    return one


def _pieces(blocks: Iterable[np.ndarray], lanes: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the rows of blocks in pieces for some lanes, each with the number of its first row."""
    n = 0
    for block in blocks:
        step = _step(block.shape[1], lanes)
        for start in range(0, len(block), step):
            yield n + start, block[start : start + step]
        n += len(block)


def squared_distances(blocks: Iterable[np.ndarray], mean: np.ndarray) -> np.ndarray:
    """Return (n,) ‖z − mean‖² of the rows of (b, d) blocks, in float64."""
    calls = (partial(_squares, rows, mean) for _, rows in _pieces(blocks, lanes=2))
    return np.concatenate(list(two_at_a_time(calls)))


def _squares(rows: np.ndarray, mean: np.ndarray) -> np.ndarray:
    rows = rows - mean
    return np.einsum("ij,ij->i", rows, rows)


def in_float64(
    blocks: Iterable[np.ndarray], minus: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Yield the rows of blocks, in smaller blocks of float64, less ``minus`` where it is given.

    All are one piece of memory: the caller may change a block, and must not keep it.
    """
    room: np.ndarray = np.empty((0, 0))
    for _, rows in _pieces(blocks, lanes=1):
        if room.shape[1] != rows.shape[1] or len(room) < len(rows):
            room = np.empty(rows.shape)
        held = room[: len(rows)]
        if minus is None:
            held[:] = rows
        else:
            np.subtract(rows, minus, out=held)
        yield held


def _step(width: int, lanes: int) -> int:
    """Return how many rows of this width each of some lanes holds in float64 at a time."""
    return max(1, width // 8, _BLOCK_VALUES // lanes // max(width, 1))


def _raise_for_row(rows: np.ndarray, start: int) -> None:
    """Raise for the first row that is not finite, if there is one: sums overflow without it too."""
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        raise DegenerateEmbeddingError(f"row {start + bad[0]} is not finite.")


def _add_by_class(sums: np.ndarray, rows: np.ndarray, values: np.ndarray) -> None:
    """Add each row to the sum of its class."""
    order = np.argsort(values, kind="stable")
    present, starts = np.unique(values[order], return_index=True)
    if len(present):
        sums[present] += np.add.reduceat(rows[order], starts, axis=0)
