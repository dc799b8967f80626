"""Linear classifiers of the target's latents, and which labels they can be fitted on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np

from semasia.errors import ComparisonError, ProbeError, did_you_mean
from semasia.geometry.moments import moments
from semasia.geometry.probes import fit_least_squares, fit_strong, fit_weak
from semasia.geometry.probes.linear import LinearProbe

ProbeKind = Literal["least_squares", "weak", "strong"]


def columns_of(labels: Mapping[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """Split labels into columns: one of a (n,) array, m of a (n, m) array, by name."""
    return {
        name: {name: values}
        if values.ndim == 1
        else {f"{name} {i}": values[:, i] for i in range(values.shape[1])}
        for name, values in labels.items()
    }


def fit_classifiers(
    kind: ProbeKind,
    Z: np.ndarray,
    labels: Mapping[str, np.ndarray],
    test_labels: Mapping[str, np.ndarray],
    ids: np.ndarray | None = None,
) -> tuple[dict[str, LinearProbe], dict[str, str]]:
    """Fit a probe for each name of labels on training rows.

    Parameters
    ----------
    kind : "least_squares", "weak" or "strong"
    Z : (n, d) float array
    labels, test_labels : mapping of (n,) or (n, m) int arrays
        Classes from 0; −1 where a label is absent. The same names and columns in both.
    ids : (n,) int array, optional
        Choose the rows of the weak probe.

    Returns
    -------
    dict of LinearProbe
        For each name whose labels can be predicted.
    dict of str
        For every other name, why not.

    Raises
    ------
    ComparisonError
        If the names differ, or a column has another number of labels than there are rows.
    """
    if kind not in get_args(ProbeKind):
        raise ComparisonError(f"no probe {kind!r}.{did_you_mean(kind, get_args(ProbeKind))}")
    if labels.keys() != test_labels.keys():
        raise ComparisonError(
            f"labels of training rows are {', '.join(labels) or 'none'}; those of test rows "
            f"{', '.join(test_labels) or 'none'}."
        )
    fitted, tested = columns_of(labels), columns_of(test_labels)
    probes: dict[str, LinearProbe] = {}
    notes: dict[str, str] = {}
    for name, columns in fitted.items():
        for column, values in columns.items():
            if len(values) != len(Z):
                raise ComparisonError(
                    f"label {column!r}: {len(values):,} values for {len(Z):,} training rows."
                )
        reason = _why_not(columns, tested[name])
        if reason is not None:
            notes[name] = reason
            continue
        sizes = {c: int(max(v.max(), tested[name][c].max())) + 1 for c, v in columns.items()}
        try:
            if kind == "least_squares":
                probes[name] = fit_least_squares(moments([Z], columns, sizes))
            elif kind == "weak":
                probes[name] = fit_weak(Z, columns, sizes, ids)
            else:
                probes[name] = fit_strong(Z, columns, sizes)
        except ProbeError as error:
            notes[name] = f"{kind} probe: {error}"
    return probes, notes


def _why_not(fitted: Mapping[str, np.ndarray], tested: Mapping[str, np.ndarray]) -> str | None:
    if fitted.keys() != tested.keys():
        return f"{len(fitted)} label columns of training rows, {len(tested)} of test rows."
    for column, values in fitted.items():
        if min(values.min(), tested[column].min(initial=0)) < 0:
            return f"labels {column!r} are absent (−1)."
        if len(np.unique(values)) < 2:
            return f"all rows that the probe is fitted on have one {column!r}."
    return None
