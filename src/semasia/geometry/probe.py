"""The least-squares probe: a linear classifier in closed form, with its scores and intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from semasia.geometry.moments import Moments

# Ridge in units of total spread / n: as if a tenth of a row per dimension had been added, spread
# evenly over all directions. It fades as rows are added. Without it a probe fitted on about as many
# rows as dimensions interpolates noise, and its accuracy collapses whatever the features are worth.
RIDGE = 0.1
_RESAMPLES = 1000
_SEED = 0


@dataclass(frozen=True)
class LeastSquaresProbe:
    """A linear map with intercept from latents to one-hot labels; the largest output wins.

    Attributes
    ----------
    weights : dict of (d, c) arrays
        One per label column.
    intercepts : dict of (c,) arrays
    rows : int
        Rows it was fitted on.
    ridge : float
        Added to the diagonal of the covariance, in its units.
    """

    weights: dict[str, np.ndarray]
    intercepts: dict[str, np.ndarray]
    rows: int
    ridge: float

    def predict(self, block: np.ndarray) -> dict[str, np.ndarray]:
        """Return the predicted class of each row of a (b, d) block, per label column."""
        rows = np.asarray(block, np.float64)
        return {
            c: np.argmax(rows @ w + self.intercepts[c], axis=1) for c, w in self.weights.items()
        }


def fit_least_squares(known: Moments) -> LeastSquaresProbe:
    """Fit the probe from moments alone.

    Minimises Σ ‖y − Wᵀz − b‖² / n + ridge · ‖W‖², y one-hot, b not penalised. A class without
    rows is never predicted.

    Parameters
    ----------
    known : Moments
        With class sums.

    References
    ----------
    Semasia, Appendix F.1 (linear probing: f(z) = Wz + b).
    """
    d = len(known.mean)
    covariance = known.scatter / known.n
    ridge = RIDGE * float(np.trace(covariance)) / known.n
    factor = scipy.linalg.cho_factor(
        covariance + max(ridge, np.finfo(float).tiny) * np.eye(d), overwrite_a=True
    )
    weights, intercepts = {}, {}
    for column, sums in known.class_sums.items():
        w = scipy.linalg.cho_solve(factor, sums.T / known.n)
        share = known.class_counts[column] / known.n
        intercepts[column] = np.where(share > 0, share - known.mean @ w, -np.inf)
        weights[column] = w
    return LeastSquaresProbe(weights, intercepts, known.n, ridge)


def confusion(
    probe: LeastSquaresProbe,
    blocks: Iterable[np.ndarray],
    labels: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Return a (c, c) int64 confusion matrix per label column: true class by predicted class."""
    sizes = {c: len(b) for c, b in probe.intercepts.items()}
    counts = {c: np.zeros(size * size, np.int64) for c, size in sizes.items()}
    start = 0
    for block in blocks:
        for column, predicted in probe.predict(block).items():
            true = labels[column][start : start + len(block)]
            counts[column] += np.bincount(
                true * sizes[column] + predicted, minlength=sizes[column] ** 2
            )
        start += len(block)
    return {c: v.reshape(sizes[c], sizes[c]) for c, v in counts.items()}


def scores(matrix: np.ndarray) -> dict[str, float]:
    """Return accuracy, and precision, recall and F1 as means over classes.

    Accuracy is the share of rows classified correctly. The others weigh every class that occurs in
    the true labels equally; a class that is never predicted has precision and F1 of zero.

    Parameters
    ----------
    matrix : (c, c) int array
        Confusion matrix, true class by predicted class.

    References
    ----------
    Semasia, Appendix F.1; Manning, Raghavan & Schütze (2008).
    """
    hits = np.diag(matrix).astype(float)
    true, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    present = true > 0
    precision = np.divide(hits, predicted, out=np.zeros_like(hits), where=predicted > 0)
    recall = np.divide(hits, true, out=np.zeros_like(hits), where=present)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros_like(hits), where=both > 0)
    return {
        "probe_accuracy": float(hits.sum() / matrix.sum()),
        "probe_precision": float(precision[present].mean()),
        "probe_recall": float(recall[present].mean()),
        "probe_f1": float(f1[present].mean()),
    }


def accuracy_interval(matrix: np.ndarray) -> tuple[float, float]:
    """Return the bootstrap 95% interval of the accuracy over test rows (percentiles, seeded).

    Resampling rows with replacement makes the number of hits binomial, so it is drawn as such.
    """
    n = int(matrix.sum())
    rng = np.random.default_rng(_SEED)
    drawn = rng.binomial(n, np.trace(matrix) / n, _RESAMPLES) / n
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)
