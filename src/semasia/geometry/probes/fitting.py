"""Logistic probes, weak and strong: the two configurations that the drift paper contrasts.

Geometric drift paper, section 6: a probe fitted on few rows with a fixed constant can be tens of
points below one fitted on all rows with a cross-validated constant, at identical embeddings.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedKFold

from semasia.errors import ProbeError
from semasia.geometry.classes import numbered, values_that_occur
from semasia.geometry.probes.linear import LinearProbe
from semasia.geometry.probes.logistic import LogisticFolds, Rotated, rotated
from semasia.inputs.selection import select_rows

WEAK_ROWS = 2000
WEAK_C = 1.0
FOLDS = 3
SEED = 0
# Values of C times the mean variance of a dimension, so that the grid does not depend on the scale
# of an embedding. For unit variances these are the useful values of scikit-learn's default grid.
GRID = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
# Largest gradient of the mean loss, in coordinates of unit curvature. At ten times this, weak
# penalties look better than they are: a search that stops early is a penalty of its own.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class LogisticProbe(LinearProbe):
    """A fitted multinomial logistic regression per label column.

    Attributes
    ----------
    C : dict of float
        Per label column, as scikit-learn's C.
    at_edge : tuple of str
        Label columns whose chosen C is the smallest or largest of the grid.
    """

    C: dict[str, float]
    at_edge: tuple[str, ...] = ()


def fit_weak(
    Z: np.ndarray,
    labels: Mapping[str, np.ndarray],
    classes: Mapping[str, int],
    ids: np.ndarray | None = None,
) -> LogisticProbe:
    """Fit on the smaller of 2,000 and a fifth of the rows, with C = 1.

    Parameters
    ----------
    Z : (n, d) float array
    labels : mapping of (n,) int arrays
    classes : mapping of int
    ids : (n,) int array, optional
        Choose the rows, by hash and stratified where there is one label column, so that they are
        the same in every model. None: the row numbers.

    Raises
    ------
    ProbeError
        If fewer than two of a column's classes are among these rows.

    References
    ----------
    Geometric drift paper, section 6, table 2.
    """
    n = len(Z)
    numbers = np.arange(n) if ids is None else ids
    strata = next(iter(labels.values())) if len(labels) == 1 else None
    chosen = select_rows(numbers, strata, min(WEAK_ROWS, n // 5))
    part = {c: v[chosen] for c, v in labels.items()}
    _check(part)
    space = rotated(Z[chosen])
    part, classes, occurring = _numbered(part, classes)
    weights, intercepts = {}, {}
    for column, values in part.items():
        problem = LogisticFolds(space, values, classes[column], np.ones((len(chosen), 1)))
        solved = problem.solve(WEAK_C, None, TOLERANCE)[:, 0]
        weights[column], intercepts[column] = _in_latents(space, solved, values)
    C = dict.fromkeys(part, WEAK_C)
    return LogisticProbe(weights, intercepts, len(chosen), C, values=occurring)


def fit_strong(
    Z: np.ndarray,
    labels: Mapping[str, np.ndarray],
    classes: Mapping[str, int],
    *,
    grid: Sequence[float] | None = None,
    folds: int = FOLDS,
    balanced: bool = False,
) -> LogisticProbe:
    """Fit on all rows, C chosen by stratified cross-validation, for each label column.

    The C of highest mean accuracy over folds is taken, the smallest of those that tie.

    Parameters
    ----------
    Z : (n, d) float array
    labels : mapping of (n,) int arrays
    classes : mapping of int
    grid : sequence of float, optional
        Values of C. None: :data:`GRID` divided by the mean variance of a dimension.
    folds : int
    balanced : bool
        Weigh rows so that all classes count equally, in fitting and in choosing.

    Raises
    ------
    ProbeError
        If a column has one class only, or none with as many rows as there are folds.

    References
    ----------
    Geometric drift paper, section 6.
    """
    _check(labels)
    space = rotated(Z)
    if not len(space.variances):
        raise ProbeError(f"all {len(Z)} rows that it is fitted on coincide.")
    mean_variance = float(space.variances.sum()) / len(space.mean)
    tried = sorted(grid if grid is not None else [g / mean_variance for g in GRID])
    labels, classes, occurring = _numbered(labels, classes)
    weights, intercepts, chosen = {}, {}, {}
    for column, values in labels.items():
        solved, chosen[column] = _cross_validated(
            space, column, values, classes[column], tried, folds, balanced
        )
        weights[column], intercepts[column] = _in_latents(space, solved, values)
    ends = (tried[0], tried[-1]) if len(tried) > 1 else ()
    edge = tuple(c for c, found in chosen.items() if found in ends)
    return LogisticProbe(weights, intercepts, len(Z), chosen, edge, values=occurring)


def _cross_validated(
    space: Rotated,
    column: str,
    labels: np.ndarray,
    classes: int,
    grid: Sequence[float],
    folds: int,
    balanced: bool,
) -> tuple[np.ndarray, float]:
    counts = np.bincount(labels, minlength=classes)
    by_class = _class_weights(counts, balanced)
    each = by_class[labels]
    whole = LogisticFolds(space, labels, classes, each[:, None])
    if len(grid) == 1:
        return whole.solve(grid[0], None, TOLERANCE)[:, 0], grid[0]
    if counts.max() < folds:
        raise ProbeError(f"no class of {column!r} has {folds} rows, one for each fold.")
    splitter = StratifiedKFold(folds, shuffle=True, random_state=SEED)
    with warnings.catch_warnings():
        # A class with fewer rows than folds is missing from some: that is accounted for.
        warnings.simplefilter("ignore", UserWarning)
        held_out = np.zeros((len(labels), folds), bool)
        for fold, (_, rows) in enumerate(splitter.split(labels, labels)):
            held_out[rows, fold] = True
    problem = LogisticFolds(space, labels, classes, ~held_out * each[:, None])
    solved, best, best_score, best_solved = None, grid[0], -1.0, None
    for C in grid:
        solved = problem.solve(C, solved, TOLERANCE)
        hits = problem.held_out_hits(solved)
        score = float(np.mean((hits @ by_class) / (held_out * each[:, None]).sum(0)))
        if score > best_score:
            best, best_score, best_solved = C, score, solved
    assert best_solved is not None, "a grid has at least one value"
    return whole.solve(best, best_solved.mean(axis=1, keepdims=True), TOLERANCE)[:, 0], best


def _class_weights(counts: np.ndarray, balanced: bool) -> np.ndarray:
    if not balanced:
        return np.ones(len(counts))
    return counts.sum() / ((counts > 0).sum() * np.maximum(counts, 1))


def _in_latents(
    space: Rotated, solved: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (d, c) weights and (c,) intercepts for rows as they are stored."""
    weights = space.axes @ solved[:-1]
    seen = np.bincount(labels, minlength=solved.shape[1]) > 0
    return weights, np.where(seen, solved[-1] - space.mean @ weights, -np.inf)


def _numbered(
    labels: Mapping[str, np.ndarray], classes: Mapping[str, int]
) -> tuple[dict[str, np.ndarray], dict[str, int], dict[str, np.ndarray]]:
    """Return labels as classes from 0, their numbers, and what stands for what if it differs."""
    occurring = {c: values_that_occur(v, classes[c]) for c, v in labels.items()}
    values = {c: found for c, found in occurring.items() if found is not None}
    sizes = {c: len(values[c]) if c in values else classes[c] for c in labels}
    return {c: numbered(v, occurring[c]) for c, v in labels.items()}, sizes, values


def _check(labels: Mapping[str, np.ndarray]) -> None:
    for column, values in labels.items():
        if len(np.unique(values)) < 2:
            raise ProbeError(
                f"the {len(values)} rows that it is fitted on hold fewer than two classes of "
                f"{column!r}."
            )
