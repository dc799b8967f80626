"""Rows that repeat another: searched once, and given their neighbours back."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np


def distinct_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first row of every value, and which of these each row equals.

    Parameters
    ----------
    rows : (n, d) float array
        0.0 and −0.0 are equal.

    Returns
    -------
    first : (g,) int64 array
        Ascending.
    group : (n,) int64 array
        Position in ``first``.
    """
    seen: dict[bytes, int] = {}
    group = np.empty(len(rows), np.int64)
    first = []
    for i, row in enumerate(rows):
        # Adding 0.0 turns −0.0 into 0.0.
        place = seen.setdefault(_digest(row + 0.0), len(first))
        if place == len(first):
            first.append(i)
        group[i] = place
    return np.array(first, np.int64), group


def _digest(row: np.ndarray) -> bytes:
    """Return what stands for a row's bytes, short, so that a dictionary of all rows is small."""
    return hashlib.blake2b(row.tobytes(), digest_size=16).digest()


def spread_to_duplicates(
    group: np.ndarray, best: np.ndarray, nearest: np.ndarray, k: int
) -> np.ndarray:
    """Return the k nearest rows of every row from those of the distinct values.

    The nearest values are known in order of (distance, first row). They hold the k nearest rows in
    order of (distance, row): a row of any other value comes after the first rows of k nearer ones.

    Parameters
    ----------
    group : (n,) int64 array
        Value of each row.
    best, nearest : (g, min(k, g − 1)) arrays
        Squared distances and values nearest to each value.
    k : int

    Returns
    -------
    (n, k) int32 array
    """
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(len(best) + 1))
    members = [order[a:b] for a, b in itertools.pairwise(starts)]
    result = np.empty((len(group), k), np.int32)
    for value, own in enumerate(members):
        near = [members[v][:k] for v in nearest[value]]
        others = np.concatenate([own[: k + 1], *near])
        distances = np.concatenate(
            [np.zeros(min(len(own), k + 1)), np.repeat(best[value], [len(g) for g in near])]
        )
        ranked = others[np.lexsort((others, distances))]
        for i in own:
            result[i] = ranked[ranked != i][:k]
    return result
