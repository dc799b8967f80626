"""Rows of the tables of bases: correlations of every two functions, and a summary of each pair."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from semasia.comparison.bases import (
    BASES,
    BASIS_ROWS,
    BASIS_SIZE,
    Basis,
    bases,
    cross_correlation,
    off_diagonal_energy,
)
from semasia.comparison.compared import ComparedShards, told
from semasia.errors import ComparisonError, SemasiaError

# What both tables begin with: names and order of their columns, with what each holds.
_PAIR: dict[str, type] = {
    "benchmark": str,
    "split": str,
    "anchor": str,
    "model_a": str,
    "model_b": str,
    "basis": str,
}
BASES_COLUMNS: dict[str, type] = _PAIR | {"i": int, "j": int, "correlation": float}
BASES_SUMMARY_COLUMNS: dict[str, type] = _PAIR | {
    "size_a": int,
    "size_b": int,
    "components_a": int,
    "components_b": int,
    "off_diagonal_energy": float,
    "note": str,
}
Rows = list[dict[str, Any]]


def rows_of_pairs(
    paths: Iterable[str | Path], pairs: Iterable[tuple[str, str]]
) -> tuple[Rows, Rows]:
    """Return the rows of all pairs for both tables; the bases of a model are found once.

    Parameters
    ----------
    paths : iterable of path
        ``…/MODEL/SPLIT.parquet``, all of one split; the rows that most have are compared.
    pairs : iterable of (model_a, model_b)

    Returns
    -------
    rows, summaries : list of dict
        As :func:`bases_rows`. A model without bases is a note in the summaries of its pairs.
    """
    logger = logging.getLogger(__name__)
    compared = ComparedShards(paths)
    anchor = compared.anchor(BASIS_ROWS)
    shared = compared.place | {"anchor": anchor.key if anchor else None}
    wanted = list(pairs)
    found: dict[str, dict[str, Basis]] = {}
    failed: dict[str, SemasiaError] = {}
    for model in dict.fromkeys(model for pair in wanted for model in pair):
        logger.info("bases of %s", model)
        try:
            found[model] = bases(compared.embeddings(model, anchor))
        except SemasiaError as error:
            logger.warning("%s has no bases: %s", model, error)
            failed[model] = error
    rows, summaries = [], []
    for a, b in wanted:
        known = shared | {"model_a": a, "model_b": b}
        if why := told(failed, (a, b)):
            summaries += [known | {"basis": basis, "note": why} for basis in BASES]
            continue
        for table, more in zip(
            (rows, summaries), bases_rows(known, found[a], found[b]), strict=True
        ):
            table += more
    return rows, summaries


def bases_rows(
    known: dict[str, Any], a: dict[str, Basis], b: dict[str, Basis]
) -> tuple[Rows, Rows]:
    """Return the rows of one pair for the table of correlations and for the table of summaries.

    Parameters
    ----------
    known : dict
        benchmark, split, anchor, model_a and model_b.
    a, b : dict of Basis
        What :func:`bases` returns.

    Returns
    -------
    rows, summaries : list of dict
        The keys of :data:`BASES_COLUMNS` and :data:`BASES_SUMMARY_COLUMNS`. i counts the functions
        of model_a and j those of model_b, from 1 on.
    """
    rows, summaries = [], []
    for name in BASES:
        first, second = a[name], b[name]
        shared = known | {"basis": name}
        correlation = cross_correlation(first, second)
        rows += [
            shared | {"i": i + 1, "j": j + 1, "correlation": float(correlation[i, j])}
            for i, j in np.ndindex(correlation.shape)
        ]
        summary = dict.fromkeys(BASES_SUMMARY_COLUMNS) | shared
        sizes = [basis.vectors.shape[1] for basis in (first, second)]
        summary.update(
            size_a=sizes[0],
            size_b=sizes[1],
            components_a=first.components,
            components_b=second.components,
        )
        notes = []
        if min(sizes) < BASIS_SIZE:
            notes.append(f"bases of {sizes[0]} and {sizes[1]} functions, not {BASIS_SIZE}.")
        if max(first.components or 1, second.components or 1) > 1:
            notes.append("a graph is not connected: indicators of components come first.")
        try:
            summary["off_diagonal_energy"] = off_diagonal_energy(first, second)
        except ComparisonError as error:
            notes.append(str(error))
        summary["note"] = " ".join(notes) or None
        summaries.append(summary)
    return rows, summaries
