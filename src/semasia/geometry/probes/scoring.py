"""Scores of a probe on test rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import scipy.sparse

from semasia.geometry.classes import numbered, values_that_occur
from semasia.geometry.probes.intervals import share_interval
from semasia.geometry.probes.linear import LinearProbe

# Classes up to which a confusion matrix holds its zeros.
_DENSE = 4096

Confusion: TypeAlias = "np.ndarray | scipy.sparse.csr_array"


@dataclass(frozen=True)
class Scored:
    """What a probe did on test rows.

    Attributes
    ----------
    confusion : dict of (c, c) int64 arrays
        True class by predicted class, per label column; sparse where there are thousands. Classes
        are those that occur, ascending, where labels are far from contiguous.
    hits : (n,) int64 array
        Label columns that were predicted right, of each row.
    """

    confusion: dict[str, Confusion]
    hits: np.ndarray

    def means(self) -> dict[str, float]:
        """Return the scores of :func:`scores`, each the mean over label columns."""
        each = [scores(m) for m in self.confusion.values()]
        return {name: float(np.mean([s[name] for s in each])) for name in each[0]}

    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval of the accuracy."""
        return share_interval(self.hits, len(self.confusion))


def unseen_classes(
    fitted: Mapping[str, np.ndarray], tested: Mapping[str, np.ndarray]
) -> str | None:
    """Say how many test rows have a class that no training row has, None if none does.

    Parameters
    ----------
    fitted, tested : mapping of (n,) int arrays
        Labels of the training and of the test rows; the same columns.
    """
    for column, values in tested.items():
        unseen = ~np.isin(values, fitted[column])
        if unseen.any():
            return (
                f"{unseen.sum():,} of {len(values):,} test rows have a {column!r} that no training "
                f"row has, such as {values[unseen].min()}: no probe can predict it."
            )
    return None


def scored_on(
    probe: LinearProbe, blocks: Iterable[np.ndarray], labels: Mapping[str, np.ndarray]
) -> Scored:
    """Score a probe on the rows of blocks, whose labels are given in the order of the rows."""
    guesses = {c: np.zeros(len(labels[c]), np.int64) for c in probe.weights}
    hits = np.zeros(len(next(iter(labels.values()))), np.int64)
    start = 0
    for block in blocks:
        rows = slice(start, start + len(block))
        for column, predicted in probe.predict(block).items():
            true = labels[column][rows]
            hits[rows] += true == predicted
            guesses[column][rows] = predicted
        start += len(block)
    found = {c: _confusion(labels[c], v, len(probe.intercepts[c])) for c, v in guesses.items()}
    return Scored(found, hits)


def _confusion(true: np.ndarray, predicted: np.ndarray, classes: int) -> Confusion:
    both = np.concatenate([true, predicted])
    occurring = values_that_occur(both, classes)
    size = max(classes, int(both.max()) + 1) if occurring is None else len(occurring)
    true, predicted = numbered(true, occurring), numbered(predicted, occurring)
    if size <= _DENSE:
        return np.bincount(true * size + predicted, minlength=size**2).reshape(size, size)
    ones = np.ones(len(true), np.int64)
    return scipy.sparse.coo_array((ones, (true, predicted)), shape=(size, size)).tocsr()


def scores(matrix: Confusion) -> dict[str, float]:
    """Return accuracy, and precision, recall and F1 as means over classes.

    Accuracy is the share of rows classified correctly. The others weigh every class that occurs in
    the true labels equally; a class that is never predicted has precision and F1 of zero. The mean
    recall is also called balanced accuracy.

    Parameters
    ----------
    matrix : (c, c) int array, sparse or not
        Confusion matrix, true class by predicted class.

    References
    ----------
    Semasia, Appendix F.1; Manning, Raghavan & Schütze (2008).
    """
    hits = matrix.diagonal().astype(float)
    true, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    present = true > 0
    precision = np.divide(hits, predicted, out=np.zeros_like(hits), where=predicted > 0)
    recall = np.divide(hits, true, out=np.zeros_like(hits), where=present)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros_like(hits), where=both > 0)
    return {
        "accuracy": float(hits.sum() / matrix.sum()),
        "precision": float(precision[present].mean()),
        "recall": float(recall[present].mean()),
        "f1": float(f1[present].mean()),
    }
