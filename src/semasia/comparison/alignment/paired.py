"""Rows of two models that correspond, with the cross-covariance that all methods need."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from semasia.comparison.alignment.sides import Side, row_blocks
from semasia.errors import ComparisonError


class Paired:
    """The paired training rows of a source A and a target B.

    What belongs to one model alone is in its :class:`Side`, so that it is computed once however
    many pairs the model is in; only the cross-covariance belongs to the pair.

    Parameters
    ----------
    a, b : Side
        Row i of both is of the same input.
    ids : (n,) int array, optional
        Distinct. They decide what is drawn at random, so that the order of rows does not. None: the
        row numbers.

    Raises
    ------
    ComparisonError
        If the numbers of rows or ids differ, or an id occurs twice.
    """

    def __init__(self, a: Side, b: Side, ids: np.ndarray | None = None) -> None:
        if a.n != b.n:
            raise ComparisonError(
                f"{a.name} has {a.n:,} rows and {b.name} {b.n:,}; an alignment needs rows of the "
                "same inputs in the same order."
            )
        self.a, self.b, self.ids = a, b, np.arange(a.n) if ids is None else np.asarray(ids)
        if len(np.unique(self.ids)) != a.n or len(self.ids) != a.n:
            raise ComparisonError(
                f"{len(self.ids):,} ids, {len(np.unique(self.ids)):,} of them distinct, for "
                f"{a.n:,} pairs of rows; each pair needs an id of its own."
            )

    @classmethod
    def of(cls, A: np.ndarray, B: np.ndarray, ids: np.ndarray | None = None) -> Paired:
        """Pair (n, dA) and (n, dB) float arrays."""
        return cls(Side(A, "A"), Side(B, "B"), ids)

    @property
    def n(self) -> int:
        """Number of pairs."""
        return self.a.n

    @cached_property
    def cross(self) -> np.ndarray:
        """(rA, rB) cross-covariance of the coordinates, divided by n − 1."""
        total: np.ndarray | None = None
        for rows in row_blocks(self.n, max(self.a.width, self.b.width)):
            left = self.a.coordinates(self.a.rows[rows])
            product = left.T @ self.b.coordinates(self.b.rows[rows])
            if total is None:
                total = product
            else:
                total += product
        assert total is not None, "a side has at least two rows"
        if self.a.constant or self.b.constant:
            return np.zeros_like(total)
        return total / (self.n - 1)

    def ordered_by_rounding(self, k: int) -> str | None:
        """Return why the first k canonical directions are none in particular; None where they are.

        Where one side has no fewer dimensions than there are rows, it tells every direction of the
        other exactly: all canonical correlations are 1.
        """
        wide = max(self.a.width, self.b.width)
        if self.n > wide or k >= min(self.n - 1, self.a.width, self.b.width):
            return None
        return (
            f"decided by shape: {self.n} pairs for {wide} dimensions tell every direction exactly, "
            f"so that all correlations are 1 but for ε, which alone chooses the first {k}."
        )

    def turned(self) -> Paired:
        """Return the pair with source and target exchanged; nothing is computed again."""
        turned = Paired(self.b, self.a, self.ids)
        if "cross" in self.__dict__:
            turned.__dict__["cross"] = self.cross.T
        return turned

    def drawn(self, seed: int) -> np.ndarray:
        """Return all n row numbers in a random order; its first m are nested in its first m + 1."""
        return drawn_order(self.ids, seed)


def drawn_order(ids: np.ndarray, seed: int) -> np.ndarray:
    """Return (n,) positions in a random order that depends on the ids and the seed alone."""
    return np.argsort(ids, kind="stable")[np.random.default_rng(seed).permutation(len(ids))]
