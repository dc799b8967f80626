"""Kernels of the nearest-neighbour search: keep the least keys of tiles, then rank exactly.

All arrays are C-contiguous. Keys are float32 or float64, distances are squared and float64.
"""

from __future__ import annotations

import numpy as np

from semasia.neighbours.compiled import compiled, numba

_CHUNK = 64


@compiled(inline="always")
def _replace_greatest(keys, items, key, item):
    """Put ``key`` in place of the greatest of a max-heap and let it sink."""
    m = len(keys)
    place = 0
    while True:
        child = 2 * place + 1
        if child >= m:
            break
        if child + 1 < m and keys[child + 1] > keys[child]:
            child += 1
        if keys[child] <= key:
            break
        keys[place] = keys[child]
        items[place] = items[child]
        place = child
    keys[place] = key
    items[place] = item


@compiled(parallel=True)
def keep_by_row(tile, asked, first_heap, first_column, weights, keys, items):
    """Offer every entry of a tile to the heap of its row.

    The key of column j for row i is ``weights[j] - 2 * tile[i, j]``. A point is not offered to
    itself.

    Parameters
    ----------
    tile : (r, c) array
        Inner products of the points ``asked`` with points first_column….
    asked : (r,) int array
    first_heap : int
        Position of the first of them in ``keys`` and ``items``.
    weights : (n,) array
    keys, items : (q, m) arrays
        A max-heap per query: the m least keys so far, and the points they belong to.
    """
    rows, columns = tile.shape
    two = tile.dtype.type(2)
    for r in numba.prange(rows):
        i = asked[r]
        line = tile[r]
        own_keys, own_items = keys[first_heap + r], items[first_heap + r]
        for start in range(0, columns, _CHUNK):
            stop = min(start + _CHUNK, columns)
            limit = own_keys[0]
            any_below = False
            for c in range(start, stop):
                any_below |= weights[first_column + c] - two * line[c] < limit
            if any_below:
                for c in range(start, stop):
                    key = weights[first_column + c] - two * line[c]
                    j = first_column + c
                    if key < own_keys[0] and j != i:
                        _replace_greatest(own_keys, own_items, key, j)


@compiled(parallel=True)
def keep_by_column(tile, first_row, first_column, weights, keys, items):
    """Offer every entry of a tile to the heap of its column; as :func:`keep_by_row` transposed."""
    rows, columns = tile.shape
    two = tile.dtype.type(2)
    chunks = (columns + _CHUNK - 1) // _CHUNK
    for chunk in numba.prange(chunks):
        start = chunk * _CHUNK
        width = min(_CHUNK, columns - start)
        limits = np.empty(width, tile.dtype)
        for c in range(width):
            limits[c] = keys[first_column + start + c, 0]
        for r in range(rows):
            weight = weights[first_row + r]
            line = tile[r, start : start + width]
            any_below = False
            for c in range(width):
                any_below |= weight - two * line[c] < limits[c]
            if any_below:
                for c in range(width):
                    key = weight - two * line[c]
                    if key < limits[c]:
                        j = first_column + start + c
                        _replace_greatest(keys[j], items[j], key, first_row + r)
                        limits[c] = keys[j, 0]


@compiled(inline="always")
def squared_distance(x, y, scale):
    """Squared distance in float64, summed in one fixed order on every machine."""
    d = len(x)
    a = b = c = e = 0.0
    whole = d - d % 4
    for i in range(0, whole, 4):
        p = (np.float64(x[i]) - np.float64(y[i])) * scale
        q = (np.float64(x[i + 1]) - np.float64(y[i + 1])) * scale
        r = (np.float64(x[i + 2]) - np.float64(y[i + 2])) * scale
        s = (np.float64(x[i + 3]) - np.float64(y[i + 3])) * scale
        a += p * p
        b += q * q
        c += r * r
        e += s * s
    for i in range(whole, d):
        p = (np.float64(x[i]) - np.float64(y[i])) * scale
        a += p * p
    return (a + b) + (c + e)


@compiled(inline="always")
def _insert(best, items, distance, item):
    """Insert into k ascending (distance, item) pairs what comes before the last of them."""
    place = len(best) - 1
    if distance > best[place] or (distance == best[place] and item > items[place]):
        return
    while place > 0 and (
        best[place - 1] > distance or (best[place - 1] == distance and items[place - 1] > item)
    ):
        best[place] = best[place - 1]
        items[place] = items[place - 1]
        place -= 1
    best[place] = distance
    items[place] = item


@compiled(parallel=True)
def rank_candidates(points, scale, queries, items, best, nearest):
    """Rank the candidates of each query by exact distance, ties by index.

    Parameters
    ----------
    points : (n, d) array
    scale : float
        Factor on every difference.
    queries : (q,) int array
        Points that are asked for.
    items : (q, m) int32 array
        Candidates of each query, −1 where there is none.
    best, nearest : (n, k) arrays
        Filled at the rows of the queries: squared distances, ascending, and points.
    """
    for q in numba.prange(len(queries)):
        i = queries[q]
        best[i] = np.inf
        nearest[i] = len(points)
        for j in items[q]:
            if j >= 0:
                _insert(best[i], nearest[i], squared_distance(points[i], points[j], scale), j)


@compiled(parallel=True)
def scan_all(points, scale, queries, best, nearest):
    """As :func:`rank_candidates` with every other point a candidate."""
    for q in numba.prange(len(queries)):
        i = queries[q]
        best[i] = np.inf
        nearest[i] = len(points)
        for j in range(len(points)):
            if j != i:
                _insert(best[i], nearest[i], squared_distance(points[i], points[j], scale), j)
