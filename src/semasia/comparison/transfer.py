"""Cross-model transfer: a probe of one model's latents, tried on those of another.

Latents are centred on the mean of their model's training rows, and every row is scaled to norm one.
A probe is trained on those of one model; it is scored on that model's own test rows, on another's
as they are (zero-shot) and on another's after alignment into its space. The matrix over models is
not symmetric.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, get_args

import numpy as np

from semasia.comparison.alignment import METHODS, Paired, Side
from semasia.comparison.alignment.sides import check_finite, row_blocks
from semasia.errors import (
    ComparisonError,
    DegenerateEmbeddingError,
    ProbeError,
    did_you_mean,
)
from semasia.geometry.labelled import class_counts
from semasia.geometry.moments import in_float64, moments
from semasia.geometry.probes import fit_least_squares, fit_strong, scored_on, unseen_classes
from semasia.geometry.probes.linear import LinearProbe

ProbeKind = Literal["logistic", "least_squares"]

# Names and order of the table's columns, with what each holds.
TRANSFER_COLUMNS: dict[str, type] = {
    "benchmark": str,
    "fit_split": str,
    "test_split": str,
    "probe_model": str,
    "latents_model": str,
    "kind": str,
    "method": str,
    "accuracy": float,
    "low": float,
    "high": float,
    "classes": int,
    "test_rows": int,
    "note": str,
}
# Of the logistic probe, as scikit-learn's; the paper states none.
C = 1.0


@dataclass(frozen=True)
class ModelLatents:
    """Latents of one model, rows in the same order in every model.

    Attributes
    ----------
    train : (n, d) float array
    test : (m, d) float array
    """

    train: np.ndarray
    test: np.ndarray


def normalised(rows: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return rows about a mean, each of norm one; a row at the mean stays zero.

    Parameters
    ----------
    rows : (n, d) float array
    mean : (d,) float64 array
        Of the training rows.

    Returns
    -------
    (n, d) array
        float32 for rows of at most that precision, else float64.

    References
    ----------
    Cross-Model Semantics in Representation Learning (arXiv:2508.03649): latents of zero mean and
    unit norm.
    """
    found = np.empty(rows.shape, np.float32 if rows.dtype.itemsize <= 4 else np.float64)
    start = 0
    for block in in_float64([rows], minus=mean):
        norms = np.linalg.norm(block, axis=1, keepdims=True)
        np.divide(block, norms, out=block, where=norms > 0)
        found[start : start + len(block)] = block
        start += len(block)
    return found


def transfer_rows(
    models: Mapping[str, ModelLatents],
    labels_train: Mapping[str, np.ndarray],
    labels_test: Mapping[str, np.ndarray],
    *,
    method: str = "linear",
    probe: ProbeKind = "logistic",
    aligned_rows: int | None = None,
    known: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Score the probe of every model on the latents of every model.

    Parameters
    ----------
    models : mapping of ModelLatents
        By name.
    labels_train, labels_test : mapping of (n,) and (m,) int arrays
        Classes from 0; accuracies are means over the columns.
    method : str
        Of :data:`METHODS`, with the smaller width as k: full rank. What it sends is not scaled to
        norm one again.
    probe : "logistic" or "least_squares"
        Multinomial logistic regression with an L2 penalty, C = 1; or least squares with the ridge
        of :data:`semasia.geometry.probes.RIDGE`.
    aligned_rows : int, optional
        Training rows, the first ones, that the alignment is fitted on. None: all.
    known : mapping of str, optional
        ``benchmark``, ``fit_split`` and ``test_split``.

    Returns
    -------
    list of dict
        With the keys of :data:`TRANSFER_COLUMNS`. For each probe model a row of kind ``own``, and
        for each other model one of ``zero_shot``, which has a note and no number where widths
        differ, and one of ``aligned``. A model whose probe cannot be fitted has notes alone.

    Raises
    ------
    ComparisonError
        If the models' rows or the labels do not correspond, or a method is unknown.

    References
    ----------
    Cross-Model Semantics in Representation Learning (arXiv:2508.03649): cross-model transfer
    accuracy of linear probes with L2 regularisation. Alignment before transfer: Semasia, Appendix
    E.4.
    """
    if method not in METHODS:
        raise ComparisonError(f"no alignment method {method!r}.{did_you_mean(method, METHODS)}")
    if probe not in get_args(ProbeKind):
        raise ComparisonError(f"no probe {probe!r}.{did_you_mean(probe, get_args(ProbeKind))}")
    if aligned_rows is not None and aligned_rows < 2:
        raise ComparisonError(f"{aligned_rows} rows to align on; two or more are needed.")
    sizes = _sizes(models, labels_train, labels_test)
    made = {
        name: _model(name, latents, labels_train, sizes, probe, aligned_rows)
        for name, latents in models.items()
    }
    cells = {
        (name, name): [{"kind": "own"} | _scores(model.probe, [model.test], labels_test)]
        for name, model in made.items()
    }
    for one, other in combinations(made, 2):
        # The cross-covariance of a pair serves both directions.
        pair = Paired(made[other].side, made[one].side)
        cells[one, other] = _across(made[one], made[other], pair, method, labels_test)
        cells[other, one] = _across(made[other], made[one], pair.turned(), method, labels_test)
    shared: dict[str, Any] = dict.fromkeys(TRANSFER_COLUMNS) | dict(known or {})
    shared |= {"classes": max(sizes.values()), "test_rows": len(next(iter(labels_test.values())))}
    unseen = unseen_classes(labels_train, labels_test)
    for row in (row for rows in cells.values() for row in rows if "accuracy" in row):
        row["note"] = unseen
    return [
        shared | {"probe_model": home, "latents_model": away} | row
        for home in made
        for away in made
        for row in cells[home, away]
    ]


@dataclass(frozen=True)
class _Model:
    """What one model brings to every pair that it is in: a probe, or why it has none."""

    side: Side
    test: np.ndarray
    probe: LinearProbe | str


def _model(
    name: str,
    latents: ModelLatents,
    labels: Mapping[str, np.ndarray],
    sizes: Mapping[str, int],
    kind: ProbeKind,
    aligned_rows: int | None,
) -> _Model:
    check_finite(latents.test, f"{name}, test rows")
    mean = Side(latents.train, name).mean
    train, test = normalised(latents.train, mean), normalised(latents.test, mean)
    probe: LinearProbe | str
    try:
        if kind == "logistic":
            probe = fit_strong(train, labels, sizes, grid=(C,))
        else:
            probe = fit_least_squares(moments([train], labels, sizes))
    except (ProbeError, DegenerateEmbeddingError) as error:
        probe = f"probe: {error}"
    return _Model(Side(train[:aligned_rows], name), test, probe)


def _across(
    home: _Model, away: _Model, pair: Paired, method: str, labels: Mapping[str, np.ndarray]
) -> list[dict[str, Any]]:
    """Score the probe of one model on another's test rows, as they are and aligned."""
    zero: dict[str, Any] = {"kind": "zero_shot"}
    widths = home.side.width, away.side.width
    if widths[0] == widths[1]:
        zero |= _scores(home.probe, [away.test], labels)
    else:
        zero["note"] = f"widths differ: {widths[0]:,} and {widths[1]:,}."
    aligned: dict[str, Any] = {"kind": "aligned", "method": method}
    try:
        k = min(*widths, METHODS[method].largest_k(pair))
        fitted = METHODS[method]().fit_paired(pair, [k])
        parts = (fitted.transform(away.test[rows], k) for rows in row_blocks(*away.test.shape))
        aligned |= _scores(home.probe, parts, labels)
    except ComparisonError as error:
        aligned["note"] = str(error)
    return [zero, aligned]


def _scores(
    probe: LinearProbe | str, blocks: Iterable[np.ndarray], labels: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    if isinstance(probe, str):
        return {"note": probe}
    scored = scored_on(probe, blocks, labels)
    low, high = scored.interval()
    return {"accuracy": scored.means()["accuracy"], "low": low, "high": high}


def _sizes(
    models: Mapping[str, ModelLatents],
    labels_train: Mapping[str, np.ndarray],
    labels_test: Mapping[str, np.ndarray],
) -> dict[str, int]:
    """Return the classes of each label column, after checking that everything corresponds."""
    if not models or not labels_train or labels_train.keys() != labels_test.keys():
        raise ComparisonError(
            f"{len(models)} models; labels of training rows are "
            f"{', '.join(labels_train) or 'none'}, those of test rows "
            f"{', '.join(labels_test) or 'none'}: transfer needs one or more models and labels, "
            "the same ones in both."
        )
    for column, fitted in labels_train.items():
        tested = labels_test[column]
        for name, latents in models.items():
            rows, wanted = (len(latents.train), len(latents.test)), (len(fitted), len(tested))
            if latents.train.shape[1:] != latents.test.shape[1:]:
                raise ComparisonError(
                    f"{name}: training rows of shape {latents.train.shape}, test rows of "
                    f"{latents.test.shape}; one model's have one width."
                )
            if rows != wanted or not len(tested):
                raise ComparisonError(
                    f"{name}: {rows[0]:,} training and {rows[1]:,} test rows, but {wanted[0]:,} "
                    f"and {wanted[1]:,} labels {column!r}."
                )
        for values in (fitted, tested):
            if values.ndim != 1 or values.dtype.kind not in "iu":
                raise ComparisonError(
                    f"label {column!r}: an array of {values.dtype}, shape {values.shape}; classes "
                    "are whole numbers."
                )
        if min(fitted.min(), tested.min()) < 0:
            raise ComparisonError(f"labels {column!r} are absent (−1); leave their rows out.")
    return class_counts(dict.fromkeys(labels_train, 0), labels_train, labels_test)
