"""Rows of the alignments table: methods × k × numbers of paired training rows × labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from semasia.comparison.alignment.classifiers import ProbeKind, columns_of, fit_classifiers
from semasia.comparison.alignment.evaluation import Received, TestRows
from semasia.comparison.alignment.method import Alignment
from semasia.comparison.alignment.methods import METHODS
from semasia.comparison.alignment.paired import Paired, drawn_order
from semasia.comparison.alignment.parseval import Parseval
from semasia.errors import ComparisonError, did_you_mean
from semasia.geometry.probes import unseen_classes

# Names and order of the table's columns, with what each holds.
ALIGNMENT_COLUMNS: dict[str, type] = {
    "benchmark": str,
    "fit_split": str,
    "test_split": str,
    "model_a": str,
    "model_b": str,
    "method": str,
    "k": int,
    "train_rows": int,
    "test_rows": int,
    "mse": float,
    "mse_low": float,
    "mse_high": float,
    "mse_per_dimension": float,
    "r2": float,
    "r2_mean_dimension": float,
    "label": str,
    "accuracy": float,
    "accuracy_low": float,
    "accuracy_high": float,
    "upper_bound": float,
    "upper_low": float,
    "upper_high": float,
    "gap": float,
    "gap_low": float,
    "gap_high": float,
    "seed": int,
    "note": str,
}
_CONSTANT = "R²: all test rows of B coincide."


def alignment_rows(
    A_train: np.ndarray,
    B_train: np.ndarray,
    A_test: np.ndarray,
    B_test: np.ndarray,
    labels_train: Mapping[str, np.ndarray],
    labels_test: Mapping[str, np.ndarray],
    ids: np.ndarray | None = None,
    *,
    ks: Sequence[int],
    methods: Sequence[str] = tuple(METHODS),
    pairs: Sequence[int] | None = None,
    probe: ProbeKind = "least_squares",
    seed: int = 0,
    samples: int | None = None,
    known: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Fit and score alignments of A to B.

    Parameters
    ----------
    A_train, B_train : (n, dA) and (n, dB) float arrays
        Row i of both is of the same input.
    A_test, B_test : (m, dA) and (m, dB) float arrays
    labels_train, labels_test : mapping of (n,) or (n, c) and (m,) or (m, c) int arrays
        By name: each is a row of the table, where scores are means over its c columns. Without
        any, the table has the fidelity alone.
    ids : (n,) int array, optional
        Of the training rows; they decide which are drawn, see :class:`Paired`.
    ks : sequence of int
        What a method cannot do of these is a row with a note.
    methods : sequence of str
        Of :data:`METHODS`.
    pairs : sequence of int, optional
        Numbers of training pairs; each takes the first of one random order, so that fewer are among
        more. None: all. B's classifier and hence its upper bound are fitted on all rows throughout.
    probe : "least_squares", "weak" or "strong"
        B's classifier.
    seed : int
        Of the order of pairs, of clusters and of anchors.
    samples : int, optional
        Rows of a cluster that a prototype is the mean of; None: all. See :class:`Parseval`.
    known : mapping of str, optional
        ``benchmark``, ``fit_split``, ``test_split``, ``model_a``, ``model_b``.

    Returns
    -------
    list of dict
        With the keys of :data:`ALIGNMENT_COLUMNS`; what is undefined is None, with a note.

    Raises
    ------
    ComparisonError
        If rows do not correspond, a value is not finite, or a method is unknown.

    References
    ----------
    Semasia, Appendix E.4.
    """
    for name in methods:
        if name not in METHODS:
            raise ComparisonError(f"no alignment method {name!r}.{did_you_mean(name, METHODS)}")
    for name, train, test_rows in (("A", A_train, A_test), ("B", B_train, B_test)):
        if train.shape[1:] != test_rows.shape[1:]:
            raise ComparisonError(
                f"{name}: training rows of shape {train.shape}, test rows of {test_rows.shape}; "
                "one model's have one width."
            )
    everything = Paired.of(A_train, B_train, ids)
    probes, notes = fit_classifiers(probe, B_train, labels_train, labels_test, ids)
    fitted_on, tested = columns_of(labels_train), columns_of(labels_test)
    unseen = {label: unseen_classes(fitted_on[label], tested[label]) for label in probes}
    test = TestRows(A_test, B_test, probes, tested)
    empty: dict[str, Any] = dict.fromkeys(ALIGNMENT_COLUMNS) | dict(known or {})
    empty |= {"test_rows": len(A_test), "seed": seed}
    names = tuple(labels_train) or (None,)
    made = [
        Parseval(seed, samples) if name == Parseval.name else METHODS[name](seed)
        for name in methods
    ]
    rows = []
    for count, name, k, received in _received(everything, pairs, made, ks, test):
        row = empty | {"method": name, "k": k, "train_rows": count}
        if isinstance(received, str):
            rows += [row | {"label": label, "note": received} for label in names]
            continue
        for label in names:
            said = [received.remark, None if "r2" in received.fidelity else _CONSTANT]
            scores: dict[str, Any] = {"label": label}
            if label in probes:
                scores |= test.downstream(label, received.hits[label])
                said.append(unseen[label])
            elif label is not None:
                said.append(f"accuracy: {notes[label]}")
            rows.append(
                row | received.fidelity | scores | {"note": " ".join(filter(None, said)) or None}
            )
    return rows


def subset(paired: Paired, count: int, seed: int) -> Paired:
    """Return the first pairs of a random order; of equal seeds, fewer are among more.

    Raises
    ------
    ComparisonError
        If there are not so many, or fewer than two are asked for.
    """
    if not 2 <= count <= paired.n:
        raise ComparisonError(f"{count:,} pairs: there are from 2 to {paired.n:,}.")
    if count == paired.n:
        return paired
    chosen = np.sort(drawn_order(paired.ids, seed)[:count])
    return Paired.of(paired.a.rows[chosen], paired.b.rows[chosen], paired.ids[chosen])


def _received(
    everything: Paired,
    pairs: Sequence[int] | None,
    methods: Sequence[Alignment],
    ks: Sequence[int],
    test: TestRows,
) -> Iterator[tuple[int, str, int, Received | str]]:
    """Yield number of pairs, method, k, and what became of the test rows or why nothing did."""
    for count in (everything.n,) if pairs is None else pairs:
        try:
            paired: Paired | str = subset(everything, count, methods[0].seed if methods else 0)
        except ComparisonError as error:
            paired = str(error)
        for method in methods:
            if isinstance(paired, str):
                found: dict[int, Received | str] = dict.fromkeys(ks, paired)
            else:
                found = _of_method(method, paired, ks, test)
            for k, received in found.items():
                yield count, method.name, k, received


def _of_method(
    method: Alignment, paired: Paired, ks: Sequence[int], test: TestRows
) -> dict[int, Received | str]:
    """Fit one method for the ks it can do, and score it; for the others, say why not."""
    reasons = {k: method.why_not(paired, k) for k in ks}
    allowed = [k for k, reason in reasons.items() if reason is None]
    found: dict[int, Received | str] = {k: r for k, r in reasons.items() if r is not None}
    if allowed:
        try:
            method.fit_paired(paired, allowed)
        except ComparisonError as error:
            found |= dict.fromkeys(allowed, str(error))
        else:
            found |= test.scored(method)
    return {k: found[k] for k in ks}
