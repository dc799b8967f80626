"""What an alignment is worth on test rows: fidelity of the latents, use to a classifier of B."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from semasia.comparison.alignment.method import Alignment
from semasia.comparison.alignment.sides import check_finite, row_blocks
from semasia.errors import ComparisonError
from semasia.geometry.probes import difference_interval, scored_on, share_interval
from semasia.geometry.probes.linear import LinearProbe

RESAMPLES = 1000
_SEED = 0


class Resampled:
    """Bootstrap resamples of n rows, drawn once for all the means over these rows.

    Parameters
    ----------
    n : int

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.
    """

    def __init__(self, n: int) -> None:
        rng = np.random.default_rng(_SEED)
        self._counts = np.empty((RESAMPLES, n), np.uint8)
        for counts in self._counts:
            counts[:] = np.bincount(rng.integers(0, n, n), minlength=n)

    def interval(self, values: np.ndarray) -> tuple[float, float]:
        """Return the 95 % interval of the mean of (n,) values (percentiles)."""
        step = max(1, 2**20 // len(values))
        parts = (self._counts[i : i + step] @ values for i in range(0, RESAMPLES, step))
        low, high = np.percentile(np.concatenate(list(parts)) / len(values), [2.5, 97.5])
        return float(low), float(high)


@dataclass(frozen=True)
class Received:
    """What became of the test rows at one k.

    Attributes
    ----------
    fidelity : dict of float
        ``mse``, mean over rows of the squared error summed over dimensions, with ``mse_low`` and
        ``mse_high``; ``r2``, the share of the total variance about the test mean that is explained;
        ``r2_mean_dimension``, the mean of that share over the dimensions that have variance. The
        last two are missing where no dimension has.
    hits : dict of (n,) int arrays
        By name of labels, columns that the probe predicts right.
    remark : str or None
        Of the method.
    """

    fidelity: dict[str, float]
    hits: dict[str, np.ndarray]
    remark: str | None = None


class TestRows:
    """Paired test rows of A and B, and what classifiers of B make of B's own.

    Parameters
    ----------
    A : (n, dA) float array
    B : (n, dB) float array
        Read in blocks.
    probes : mapping of LinearProbe
        By name of labels; each fitted on training rows of B.
    labels : mapping of mappings of (n,) int arrays
        By name, the label columns that its probe predicts; scores are means over them.

    Raises
    ------
    ComparisonError
        If the numbers of rows or labels differ or are zero, or a value is not finite.
    """

    __test__ = False

    def __init__(
        self,
        A: np.ndarray,
        B: np.ndarray,
        probes: Mapping[str, LinearProbe],
        labels: Mapping[str, Mapping[str, np.ndarray]],
    ) -> None:
        for name, values in labels.items():
            for column, found in values.items():
                if found.ndim != 1 or found.dtype.kind not in "iu":
                    raise ComparisonError(
                        f"label {column!r} of {name!r}: an array of {found.dtype}, shape "
                        f"{found.shape}; classes are whole numbers."
                    )
        if len(A) != len(B) or not len(A):
            raise ComparisonError(
                f"{len(A):,} test rows of A and {len(B):,} of B; an alignment is scored on one or "
                "more rows of the same inputs in the same order."
            )
        for columns in labels.values():
            for column, values in columns.items():
                if len(values) != len(A):
                    raise ComparisonError(
                        f"label {column!r}: {len(values):,} values for {len(A):,} test rows."
                    )
        for name, Z in (("A", A), ("B", B)):
            for rows in row_blocks(*Z.shape):
                check_finite(Z[rows], f"test rows of {name}", rows.start)
        self.A, self.B, self.probes, self.labels = A, B, probes, labels
        self.resampled = Resampled(len(A))

    @cached_property
    def spread(self) -> np.ndarray:
        """(dB,) sums of squares of B about its mean over test rows."""
        first = self.B[0].astype(np.float64)
        total, squares = np.zeros(len(first)), np.zeros(len(first))
        for rows in row_blocks(*self.B.shape):
            total += (self.B[rows] - first).sum(axis=0)
        mean = first + total / len(self.B)
        for rows in row_blocks(*self.B.shape):
            squares += np.square(self.B[rows] - mean).sum(axis=0)
        return squares

    @cached_property
    def own(self) -> dict[str, np.ndarray]:
        """(n,) int arrays: columns that each probe predicts right from B's own rows."""
        return {
            name: scored_on(probe, self._blocks(), self.labels[name]).hits
            for name, probe in self.probes.items()
        }

    def scored(self, alignment: Alignment) -> dict[int, Received]:
        """Transmit the rows of A once at every k that an alignment was fitted for, and score them.

        References
        ----------
        Semasia, Appendix E.4.
        """
        n, d = self.B.shape
        errors = {k: np.zeros(n) for k in alignment.ks}
        left = {k: np.zeros(d) for k in alignment.ks}
        hits = {k: {name: np.zeros(n, np.int64) for name in self.probes} for k in alignment.ks}
        for rows in row_blocks(n, max(self.A.shape[1], d)):
            for k, sent in alignment.sweep(self.A[rows]):
                for name, probe in self.probes.items():
                    for column, predicted in probe.predict(sent).items():
                        hits[k][name][rows] += predicted == self.labels[name][column][rows]
                sent -= self.B[rows]
                np.square(sent, out=sent)
                errors[k][rows] = sent.sum(axis=1)
                left[k] += sent.sum(axis=0)
        return {
            k: Received(self._fidelity(errors[k], left[k]), hits[k], alignment.remark(k))
            for k in alignment.ks
        }

    def _fidelity(self, errors: np.ndarray, left: np.ndarray) -> dict[str, float]:
        low, high = self.resampled.interval(errors)
        found = {"mse": float(errors.mean()), "mse_low": low, "mse_high": high}
        found["mse_per_dimension"] = found["mse"] / self.B.shape[1]
        alive = self.spread > 0
        if alive.any():
            found["r2"] = 1 - float(left.sum() / self.spread.sum())
            found["r2_mean_dimension"] = 1 - float((left[alive] / self.spread[alive]).mean())
        return found

    def downstream(self, name: str, hits: np.ndarray) -> dict[str, float]:
        """Return accuracy on what was sent, its upper bound on B's own rows, and the gap.

        The gap is upper bound less accuracy; rows which both get right or wrong do not widen its
        interval.

        Parameters
        ----------
        name : str
            Of labels.
        hits : (n,) int array
            Columns predicted right from what was sent.
        """
        columns = len(self.labels[name])
        found = {}
        for what, values in (
            ("accuracy", hits),
            ("upper", self.own[name]),
            ("gap", self.own[name] - hits),
        ):
            interval = difference_interval if what == "gap" else share_interval
            low, high = interval(values, columns)
            value = "upper_bound" if what == "upper" else what
            found |= {value: float(values.mean() / columns)}
            found |= {f"{what}_low": low, f"{what}_high": high}
        return found

    def _blocks(self) -> Iterator[np.ndarray]:
        for rows in row_blocks(*self.B.shape):
            yield self.B[rows]
