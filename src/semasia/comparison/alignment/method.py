"""What every alignment method is: fitted on paired rows for several k, then applied to new rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar, Self

import numpy as np

from semasia.comparison.alignment.paired import Paired
from semasia.comparison.alignment.sides import check_finite, row_blocks
from semasia.errors import ComparisonError


class Alignment(ABC):
    """A map of latents of a source model A into the space of a target model B, for several k.

    A method is a subclass in a module of its own, in :data:`METHODS`: it says what it is in the
    class attributes, fits in ``_fit`` and maps rows in ``_sent``.

    Parameters
    ----------
    seed : int
        Of what is drawn at random; most methods draw nothing.

    Attributes
    ----------
    name : str
    definition : str
        The map in one sentence.
    source : str
        Paper and section.
    meaning_of_k : str
        With the range that is allowed.
    beyond_paper : bool
        Whether the Semasia paper does not have it.
    """

    name: ClassVar[str]
    definition: ClassVar[str]
    source: ClassVar[str]
    meaning_of_k: ClassVar[str]
    beyond_paper: ClassVar[bool] = False

    paired: Paired
    ks: tuple[int, ...]

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(
        self, A: np.ndarray, B: np.ndarray, ks: Sequence[int], ids: np.ndarray | None = None
    ) -> Self:
        """Fit on paired training rows.

        Parameters
        ----------
        A : (n, dA) float array
        B : (n, dB) float array
            Row i is of the same input as row i of A.
        ks : sequence of int
            Everything that :meth:`transform` will be asked for.
        ids : (n,) int array, optional
            See :class:`Paired`.

        Raises
        ------
        ComparisonError
            If there are fewer than two rows, the numbers of rows differ, a value is not finite, or
            a k is outside the method's range.
        """
        return self.fit_paired(Paired.of(A, B, ids), ks)

    def fit_paired(self, paired: Paired, ks: Sequence[int]) -> Self:
        """Fit as :meth:`fit` does on a pair that other methods may share."""
        if self.seed < 0:
            raise ComparisonError(f"{self.name}: a seed is 0 or more, not {self.seed}.")
        if not len(ks):
            raise ComparisonError(f"{self.name}: no k is given.")
        for k in ks:
            reason = self.why_not(paired, k)
            if reason is not None:
                raise ComparisonError(reason)
        self.paired, self.ks = paired, tuple(sorted({int(k) for k in ks}))
        self._fit(paired)
        return self

    def transform(self, A: np.ndarray, k: int) -> np.ndarray:
        """Transmit rows of A.

        Parameters
        ----------
        A : (m, dA) float array
            New rows, in memory or mapped; float64 copies are made of blocks.
        k : int
            One of those that were fitted.

        Returns
        -------
        (m, dB) float64 array

        Raises
        ------
        ComparisonError
            If k was not fitted, the width is another, or a value is not finite.
        """
        if not hasattr(self, "ks"):
            raise ComparisonError(f"{self.name}: it was not fitted yet.")
        if k not in self.ks:
            raise ComparisonError(
                f"{self.name}: fitted for k = {', '.join(map(str, self.ks))}, not {k}."
            )
        self._check_width(A)
        sent = np.empty((len(A), self.paired.b.width))
        for rows in row_blocks(len(A), A.shape[1]):
            check_finite(A[rows], self.paired.a.name, rows.start)
            sent[rows] = self.paired.b.lifted(self._sent(A[rows], k))
        return sent

    def sweep(self, block: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Transmit one block of rows at every k that was fitted, sharing what can be shared.

        Parameters
        ----------
        block : (b, dA) float array

        Yields
        ------
        int
            k, ascending.
        (b, dB) float64 array
            What :meth:`transform` returns, up to rounding; the caller may change it.
        """
        self._check_width(block)
        check_finite(block, self.paired.a.name)
        for k, sent in self._swept(block):
            yield k, self.paired.b.lifted(sent)

    def remark(self, k: int) -> str | None:
        """Return what is to be known of the map at a k that was fitted; None: nothing."""
        return None

    @classmethod
    def largest_k(cls, paired: Paired) -> int:
        """Return the largest k that is allowed: the smaller width, unless the method says else."""
        return min(paired.a.width, paired.b.width)

    @classmethod
    def why_not(cls, paired: Paired, k: int) -> str | None:
        """Return why a k is not allowed for a pair, None where it is."""
        largest = cls.largest_k(paired)
        if 1 <= k <= largest and int(k) == k:
            return None
        return (
            f"{cls.name}: k = {k} is not a whole number from 1 to {largest:,} ({cls.meaning_of_k})."
        )

    def _check_width(self, A: np.ndarray) -> None:
        if A.ndim != 2 or A.shape[1] != self.paired.a.width:
            raise ComparisonError(
                f"{self.name}: fitted on rows of width {self.paired.a.width}, not on an array of "
                f"shape {A.shape}."
            )

    def _swept(self, block: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Yield every k, ascending, with the (b, rB) coordinates in B."""
        for k in self.ks:
            yield k, self._sent(block, k)

    @abstractmethod
    def _fit(self, paired: Paired) -> None:
        """Find what ``_sent`` needs for every one of ``self.ks``."""

    @abstractmethod
    def _sent(self, rows: np.ndarray, k: int) -> np.ndarray:
        """Return the (b, rB) coordinates in B of (b, dA) rows of A."""


class Factored(Alignment):
    """A method whose map of rank k is the first k columns of one factor and rows of another.

    Attributes
    ----------
    left : (rA, r) array
        Maps the coordinates of A.
    right : (r, rB) array
        Maps to the coordinates of B. Where r is below k nothing is left to add.
    """

    left: np.ndarray
    right: np.ndarray

    def _sent(self, rows: np.ndarray, k: int) -> np.ndarray:
        return self.paired.a.coordinates(rows) @ self.left[:, :k] @ self.right[:k]

    def _swept(self, block: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Add the ranks between one k and the next: all of them cost what the largest does."""
        inner = self.paired.a.coordinates(block) @ self.left
        total, done = np.zeros((len(block), self.right.shape[1])), 0
        for k in self.ks:
            total += inner[:, done:k] @ self.right[done:k]
            done = k
            yield k, total
