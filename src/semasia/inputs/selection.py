"""A fixed, stratified choice of rows for a capped split."""

from __future__ import annotations

import numpy as np


def select_rows(ids: np.ndarray, strata: np.ndarray | None, cap: int) -> np.ndarray:
    """Choose ``cap`` rows, the same ones on every machine, spread over the strata in proportion.

    Within a stratum rows are ranked by a 64-bit hash of their id, and the first are taken, so that
    a smaller cap chooses a subset (up to the rounding of the strata's shares) of a larger one. The
    shares are rounded by largest remainder; ties go to the smaller stratum value.

    Parameters
    ----------
    ids : (n,) uint32 array
    strata : (n,) int64 array or None
        Class of each row; None for a choice that is not stratified.
    cap : int
        Rows to choose; n or more chooses all.

    Returns
    -------
    (min(cap, n),) int64 array
        Positions in ascending order.
    """
    n = len(ids)
    if cap >= n:
        return np.arange(n)
    rank = hashed(ids)
    groups = np.zeros(n, np.int64) if strata is None else strata
    values, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    share, rest = np.divmod(counts * cap, n)
    share[np.argsort(-rest, kind="stable")[: cap - share.sum()]] += 1
    chosen = []
    for group in range(len(values)):
        members = np.flatnonzero(inverse == group)
        chosen.append(members[np.argsort(rank[members], kind="stable")[: share[group]]])
    return np.sort(np.concatenate(chosen))


def hashed(ids: np.ndarray) -> np.ndarray:
    """Hash (n,) ids to (n,) uint64: the SplitMix64 finaliser (Steele, Lea & Flood, 2014)."""
    with np.errstate(over="ignore"):
        z = ids.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))
