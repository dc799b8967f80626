"""How many neighbours two spaces have in common, with blocks of rows left out in turn."""

from __future__ import annotations

import numpy as np

from semasia.neighbours.compiled import compiled, numba

# Rows that share a scratch array.
_ROWS = 256


def lists_suffice(lists: np.ndarray, block_of: np.ndarray, k: int) -> bool:
    """Return whether k neighbours are left of every list whichever block of rows is left out.

    Parameters
    ----------
    lists : (n, K) int array
    block_of : (n,) int array
    k : int
    """
    rows = len(lists)
    if lists.shape[1] == rows - 1:
        return True
    blocks = int(block_of.max()) + 1
    for start in range(0, rows, 8 * _ROWS):
        found = block_of[lists[start : start + 8 * _ROWS]].astype(np.int64)
        found += np.arange(len(found))[:, None] * blocks
        most = np.bincount(found.ravel(), minlength=blocks).max()
        if lists.shape[1] - most < k:
            return False
    return True


def common_left_out(
    a: np.ndarray, b: np.ndarray, block_of: np.ndarray, ks: np.ndarray
) -> np.ndarray:
    """Return how many of the k nearest rows are in both lists, with each block of rows left out.

    What stays of a list is the list of the rows that stay, in its order: nothing is searched anew.

    Parameters
    ----------
    a, b : (n, K) int32 arrays
        Nearest first, each long enough (:func:`lists_suffice`) for the largest k.
    block_of : (n,) uint8 array
        From 0.
    ks : (m,) int array
        Ascending.

    Returns
    -------
    (g, n, m) int16 array
        −1 for the rows of the block that is left out.
    """
    blocks = int(block_of.max()) + 1
    out = np.full((blocks, len(a), len(ks)), -1, np.int16)
    _count(a, b, block_of, np.asarray(ks, np.int64), out)
    return out


@compiled(parallel=True)
def _count(a, b, block_of, ks, out):
    n, length = a.shape
    blocks = out.shape[0]
    for chunk in numba.prange((n + _ROWS - 1) // _ROWS):
        place = np.full(n, -1, np.int32)
        gone_a = np.empty((length, blocks), np.int16)
        gone_b = np.empty((length, blocks), np.int16)
        for i in range(chunk * _ROWS, min(n, (chunk + 1) * _ROWS)):
            # How many of each block come before a place in the lists.
            gone_a[0, :] = 0
            gone_b[0, :] = 0
            for r in range(length - 1):
                gone_a[r + 1, :] = gone_a[r, :]
                gone_a[r + 1, block_of[a[i, r]]] += 1
                gone_b[r + 1, :] = gone_b[r, :]
                gone_b[r + 1, block_of[b[i, r]]] += 1
            for r in range(length):
                place[b[i, r]] = r
            for g in range(blocks):
                if g == block_of[i]:
                    continue
                for m in range(len(ks)):
                    out[g, i, m] = 0
                for r in range(length):
                    other = a[i, r]
                    s = place[other]
                    if s < 0 or block_of[other] == g:
                        continue
                    rank = max(r - gone_a[r, g], s - gone_b[s, g])
                    for m in range(len(ks)):
                        if rank < ks[m]:
                            out[g, i, m] += 1
            for r in range(length):
                place[b[i, r]] = -1
