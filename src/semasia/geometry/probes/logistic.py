"""Multinomial logistic regression for several folds at once: the solver of the probes.

Minimises, as scikit-learn's LogisticRegression does, C Σ wᵢ loss(yᵢ, Wᵀzᵢ + b) + ½ ‖W‖², b not
penalised, but in the coordinates of the principal components. There the penalty is the same (a
rotation changes no norm), components without variance need no weights, and the Hessian is close to
its diagonal, mean p (1 − p) zⱼ² + 1/(C n). Scaling each coordinate by the square root of that,
taken where the search begins, leaves L-BFGS (Liu & Nocedal, 1989) a problem that is nearly round.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from semasia.decomposition import eigh
from semasia.errors import ProbeError

# Rows whose outputs are held at a time: few enough for the block of latents to stay in the cache.
_BLOCK = 1024
_ITERATIONS = 2000
# No output is this low; added to those of classes that a fold has no rows of.
_NEVER = -1e30


@dataclass(frozen=True)
class Rotated:
    """Rows in the coordinates of their principal components that have variance.

    Attributes
    ----------
    rows : (n, r) float array
        Centred.
    mean : (d,) array
    axes : (d, r) array
        Orthonormal.
    variances : (r,) array
        Of each component.
    """

    rows: np.ndarray
    mean: np.ndarray
    axes: np.ndarray
    variances: np.ndarray


def rotated(Z: np.ndarray) -> Rotated:
    """Centre an (n, d) embedding and rotate it; rows keep their dtype, float32 or float64."""
    from semasia.geometry.moments import in_float64, moments

    known = moments([Z])
    values, axes = eigh(known.scatter / known.n)
    # The rank of a float32 matrix of rows: what is below is rounding, and carries no class.
    kept = np.flatnonzero(values > 1e-14 * values[-1])[::-1][: known.n - 1]
    axes = axes[:, kept]
    dtype = np.float32 if Z.dtype.itemsize <= 4 else np.float64
    rows = np.empty((known.n, len(kept)), dtype)
    start = 0
    for block in in_float64([Z], minus=known.mean):
        rows[start : start + len(block)] = block.astype(dtype) @ axes.astype(dtype)
        start += len(block)
    return Rotated(rows, known.mean, axes, values[kept])


class LogisticFolds:
    """The joint problem of several folds, each fitted on its own subset of the rows.

    Parameters
    ----------
    space : Rotated
    labels : (n,) int array
        Classes from 0 to ``classes`` − 1.
    classes : int
    used : (n, f) float array
        Weight of each row in each fold: 0 leaves it out, 1 counts it.
    """

    def __init__(self, space: Rotated, labels: np.ndarray, classes: int, used: np.ndarray) -> None:
        self._variances = space.variances
        self._sums = used.sum(axis=0)
        folds = used.shape[1]
        self._shape = (len(space.variances) + 1, folds, classes)
        present = np.zeros((folds, classes), bool)
        for fold in range(folds):
            present[fold, np.unique(labels[used[:, fold] > 0])] = True
        self._absent = np.where(present, 0, _NEVER).astype(space.rows.dtype)
        self._present = present
        # Rows of the same folds stand together, so that no output is computed for nothing.
        patterns, group = np.unique(used > 0, axis=0, return_inverse=True)
        self._order = np.argsort(group, kind="stable")
        self._rows = space.rows if len(patterns) == 1 else space.rows[self._order]
        self._labels = labels[self._order]
        self._used = used[self._order].astype(space.rows.dtype)
        ends = np.cumsum(np.bincount(group))
        self._groups = [
            (range(end - size, end), np.flatnonzero(pattern))
            for pattern, size, end in zip(patterns, np.bincount(group), ends, strict=True)
        ]
        # A binary problem in scikit-learn has one weight vector, which is the difference of the two
        # here: ½ ‖w‖² is ‖W‖² for the symmetric pair ±w/2.
        self._penalty = 2.0 if classes == 2 else 1.0
        self.iterations = 0

    def solve(self, C: float, start: np.ndarray | None, tolerance: float) -> np.ndarray:
        """Return the optimum for one C: (r + 1, f, c) array, intercepts last.

        Parameters
        ----------
        C : float
            As scikit-learn's: inverse strength of the penalty, for losses summed over rows.
        start : array or None
            The optimum for another C, to begin at.
        tolerance : float
            Largest component of the gradient at the end, of the mean loss and in coordinates in
            which the curvature is about one.

        Raises
        ------
        ProbeError
            If the gradient does not become so small.
        """
        begin = np.zeros(self._shape) if start is None else start
        decay = self._penalty / (C * self._sums)
        curvature = self._curvature(begin)
        curvature[:-1] += decay[None, :, None]
        scale = 1 / np.sqrt(curvature)

        def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = self._value(flat.reshape(self._shape) * scale, decay)
            return value, (gradient * scale).ravel()

        found = minimize(
            objective,
            (begin / scale).ravel(),
            jac=True,
            method="L-BFGS-B",
            options={
                "maxiter": _ITERATIONS,
                "maxfun": 2 * _ITERATIONS,
                "maxcor": 20,
                "gtol": tolerance,
                "ftol": 0.0,
            },
        )
        self.iterations += found.nit
        largest = float(np.abs(found.jac).max())
        # In float32 the line search may end a little above: rounding hides further descent.
        if not largest <= 20 * tolerance:
            raise ProbeError(
                f"logistic probe: the gradient is {largest:.1e} after {found.nit} iterations at "
                f"C = {C:g}, not {tolerance:.0e} ({found.message})."
            )
        return found.x.reshape(self._shape) * scale

    def held_out_hits(self, W: np.ndarray) -> np.ndarray:
        """Return (f, c) int64: rows that a fold leaves out and its weights classify right."""
        hits = np.zeros(self._shape[1:], np.int64)
        for rows, used_by in self._groups:
            others = np.setdiff1d(np.arange(self._shape[1]), used_by)
            for block, out in self._outputs(W, rows, others):
                right = np.argmax(out, axis=2) == self._labels[block, None]
                for place, fold in enumerate(others):
                    found = self._labels[block][right[:, place]]
                    hits[fold] += np.bincount(found, minlength=self._shape[2])
        return hits

    def _outputs(
        self, W: np.ndarray, rows: range, folds: np.ndarray
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield (b, f, c) outputs of some folds for blocks of a range of rows."""
        if not len(folds):
            return
        dtype = self._rows.dtype
        weights = W[:-1, folds].reshape(len(W) - 1, -1).astype(dtype)
        shift = W[-1, folds].astype(dtype) + self._absent[folds]
        for begin in range(rows.start, rows.stop, _BLOCK):
            block = slice(begin, min(begin + _BLOCK, rows.stop))
            out = (self._rows[block] @ weights).reshape(-1, *shift.shape)
            out += shift
            yield block, out

    def _value(self, W: np.ndarray, decay: np.ndarray) -> tuple[float, np.ndarray]:
        loss = np.zeros(self._shape[1])
        gradient = np.zeros(self._shape)
        for rows, folds in self._groups:
            products = np.zeros((len(W) - 1, len(folds) * self._shape[2]), self._rows.dtype)
            for block, out in self._outputs(W, rows, folds):
                used, label = self._used[block][:, folds], self._labels[block]
                at = np.arange(len(out))
                out -= out.max(axis=2, keepdims=True)
                right = out[at, :, label]
                np.exp(out, out=out)
                total = out.sum(axis=2)
                loss[folds] += (used * (np.log(total) - right)).sum(axis=0, dtype=np.float64)
                out *= (used / total)[:, :, None]
                out[at, :, label] -= used
                gradient[-1, folds] += out.sum(axis=0, dtype=np.float64)
                products += self._rows[block].T @ out.reshape(len(out), -1)
            gradient[:-1, folds] += products.reshape(len(products), len(folds), -1)
        gradient /= self._sums[None, :, None]
        gradient[:-1] += decay[None, :, None] * W[:-1]
        gradient *= self._present
        value = loss / self._sums + 0.5 * decay * np.square(W[:-1]).sum(axis=(0, 2))
        return float(value.sum()), gradient

    def _curvature(self, W: np.ndarray) -> np.ndarray:
        """Return the diagonal of the loss's Hessian, as W has it, and never near zero.

        A class that is far from all rows has no curvature yet, and may be near some at the optimum:
        hence at least a tenth of the mean over classes.
        """
        diagonal = np.zeros(self._shape)
        for rows, folds in self._groups:
            for block, out in self._outputs(W, rows, folds):
                p = np.exp(out - out.max(axis=2, keepdims=True))
                p /= p.sum(axis=2, keepdims=True)
                p *= (1 - p) * self._used[block][:, folds, None]
                squares = np.square(self._rows[block])
                diagonal[:-1, folds] += (squares.T @ p.reshape(len(p), -1)).reshape(
                    -1, len(folds), self._shape[2]
                )
                diagonal[-1, folds] += p.sum(axis=0, dtype=np.float64)
        diagonal /= self._sums[None, :, None]
        size = np.append(self._variances, 1.0)[:, None, None]
        return np.maximum(diagonal, np.maximum(diagonal.mean(2, keepdims=True) / 10, 1e-5 * size))
