"""How many neighbours two spaces have in common among a part of the rows."""

from __future__ import annotations

import numpy as np

from semasia.neighbours.compiled import compiled, numba

# Rows that share a scratch array.
_ROWS = 256


def lists_suffice(lists: np.ndarray, part_of: np.ndarray, k: int) -> bool:
    """Return whether every list has k neighbours in the row's own part, in every partition.

    Parameters
    ----------
    lists : (n, K) int array
    part_of : (g, n) int8 array
        The part of every row, in several partitions; −1 is a part that needs no lists.
    k : int
    """
    rows = len(lists)
    if lists.shape[1] >= rows - 1:
        return True
    for parts in part_of:
        for start in range(0, rows, 8 * _ROWS):
            own = parts[start : start + 8 * _ROWS]
            same = (parts[lists[start : start + len(own)]] == own[:, None]).sum(axis=1)
            if (same[own >= 0] < k).any():
                return False
    return True


def common_within(a: np.ndarray, b: np.ndarray, part_of: np.ndarray, ks: np.ndarray) -> np.ndarray:
    """Return how many of the k nearest rows of a row's own part are in both lists.

    What stays of a list is the list of the rows that stay, in its order: nothing is searched anew.

    Parameters
    ----------
    a, b : (n, K) int32 arrays
        Nearest first, each long enough (:func:`lists_suffice`) for the largest k.
    part_of : (g, n) int8 array
        As for :func:`lists_suffice`.
    ks : (m,) int array

    Returns
    -------
    (g, n, m) int16 array
        −1 for the rows of part −1.
    """
    out = np.full((len(part_of), len(a), len(ks)), -1, np.int16)
    _count(a, b, part_of, np.asarray(ks, np.int64), out)
    return out


@compiled(parallel=True)
def _count(a, b, part_of, ks, out):
    n, length = a.shape
    for chunk in numba.prange((n + _ROWS - 1) // _ROWS):
        place = np.full(n, -1, np.int32)
        rank = np.empty(length, np.int32)
        for i in range(chunk * _ROWS, min(n, (chunk + 1) * _ROWS)):
            for r in range(length):
                place[b[i, r]] = r
            for g in range(len(part_of)):
                parts = part_of[g]
                own = parts[i]
                if own < 0:
                    continue
                # Places among the rows of the own part.
                found = 0
                for r in range(length):
                    rank[r] = found
                    if parts[b[i, r]] == own:
                        found += 1
                for m in range(len(ks)):
                    out[g, i, m] = 0
                found = 0
                for r in range(length):
                    other = a[i, r]
                    if parts[other] != own:
                        continue
                    s = place[other]
                    if s >= 0:
                        later = max(found, rank[s])
                        for m in range(len(ks)):
                            if later < ks[m]:
                                out[g, i, m] += 1
                    found += 1
            for r in range(length):
                place[b[i, r]] = -1
