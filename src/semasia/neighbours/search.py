"""Exact nearest neighbours: float32 products propose, float64 distances decide, a bound certifies.

Squared distances ‖x‖² + ‖y‖² − 2x·y of float32 products are fast and inexact. They are used only
to discard points that a rounding bound proves to be farther than the k-th neighbour; the few that
are left are ranked by Σ(xᵢ − yᵢ)² in float64. Rows the bound cannot settle are searched again with
float64 products, and then point by point.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from semasia.accelerator import device_in_use, keep_nearest
from semasia.errors import DegenerateEmbeddingError
from semasia.neighbours.candidates import (
    keep_by_column,
    keep_by_row,
    rank_candidates,
    scan_all,
)
from semasia.neighbours.duplicates import distinct_rows, spread_to_duplicates

# Rows per side of a tile of products: 16 MiB in float32, about what a last-level cache holds.
_TILE = 2048
# Candidates per row. More cost exact distances, fewer leave more rows that are not settled.
_CANDIDATES = 32


def nearest_neighbours(Z: Any, k: int) -> np.ndarray:
    """Return the k nearest other rows of every row, nearest first.

    Distances are Euclidean, Σ(xᵢ − yᵢ)² in float64 of the values as given. Rows at equal distance
    are taken in ascending order of index, copies of a row included; a row is never its own
    neighbour. The result depends on neither threads nor what makes the matrix products, a library
    or an accelerator (:mod:`semasia.accelerator`).

    Parameters
    ----------
    Z : (n, d) array-like of float
    k : int
        1 ≤ k < n.

    Returns
    -------
    (n, k) int32 array

    Raises
    ------
    DegenerateEmbeddingError
        If Z is not a matrix of finite numbers, or has not more than k rows.
    """
    rows = _checked(Z, k)
    distinct, group = distinct_rows(rows)
    points = rows[distinct] if len(distinct) < len(rows) else rows
    best, nearest = _search(points, min(k, len(points) - 1))
    if len(points) == len(rows):
        return nearest
    return spread_to_duplicates(group, best, nearest, k)


def distances_to(Z: Any, indices: np.ndarray) -> np.ndarray:
    """Return the Euclidean distance of every row to some others, such as its neighbours.

    Computed from differences in float64: equal rows are at 0 exactly.

    Parameters
    ----------
    Z : (n, d) array-like of float
    indices : (n, k) int array

    Returns
    -------
    (n, k) float64 array
    """
    rows = np.asarray(Z, np.float64)
    columns = [np.sqrt(np.square(rows - rows[others]).sum(axis=1)) for others in indices.T]
    return np.stack(columns, axis=1)


def _checked(Z: Any, k: int) -> np.ndarray:
    rows = np.asarray(Z)
    if rows.ndim != 2 or rows.shape[1] == 0 or rows.dtype.kind not in "fiu":
        raise DegenerateEmbeddingError(
            f"an embedding is an (n, d) matrix of numbers; found {rows.shape} of {rows.dtype}."
        )
    if not 1 <= k < len(rows):
        raise DegenerateEmbeddingError(
            f"{k} neighbours of {len(rows)} rows: k is at least 1 and less than the rows."
        )
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        raise DegenerateEmbeddingError(f"row {bad[0]} is not finite ({len(bad)} such rows).")
    return np.ascontiguousarray(rows, np.float32 if rows.dtype == np.float32 else np.float64)


def _search(points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (n, k) squared distances, in an unnamed unit, and neighbours of distinct points."""
    n = len(points)
    best, nearest = np.empty((n, k)), np.empty((n, k), np.int32)
    if k == 0:
        return best, nearest
    with np.errstate(over="ignore"):
        centre = points.mean(axis=0, dtype=np.float64)
        reach = max(float(np.abs(part - centre).max()) for _, part in _parts(points))
    if not np.isfinite(reach):
        raise DegenerateEmbeddingError("values are too near the largest float64 for a mean.")
    # A power of two: it changes no digit, and squares neither overflow nor vanish.
    scale = float(2.0 ** -np.clip(np.ceil(np.log2(reach)), -1000, 1000))
    pending = np.arange(n)
    for kind in (np.float32, np.float64):
        items, bounds = _candidates(points, centre, scale, pending, max(_CANDIDATES, 2 * k), kind)
        rank_candidates(points, scale, pending, items, best, nearest)
        pending = pending[~(best[pending, -1] < bounds)]
        if not len(pending):
            return best, nearest
    scan_all(points, scale, pending, best, nearest)
    return best, nearest


def _candidates(
    points: np.ndarray, centre: np.ndarray, scale: float, queries: np.ndarray, m: int, kind: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Return (q, m) candidates, and what no other point's squared distance is less than.

    With x, y centred, u the unit roundoff and γ = (d + 16)u, rounding x and y, their inner product
    p in any order of summation, and the key are off by at most γ(‖x‖² + ‖y‖²)/2 each side, as
    2‖x‖‖y‖ ≤ ‖x‖² + ‖y‖². So ‖x − y‖² ≥ (1 − γ)(‖x‖² + ‖y‖²) − 2p, and the points with the least
    keys (1 − γ)‖y‖² − 2p are kept: all others are at least as far as the greatest kept key says
    (Higham, 2002, Section 3.1, for γ).
    """
    n, d = points.shape
    m = min(m, n - 1)
    moved = np.empty((n, d), kind)
    norms = np.empty(n)
    for rows, part in _parts(points):
        centred = (part - centre) * scale
        norms[rows] = np.einsum("ij,ij->i", centred, centred)
        moved[rows] = centred
    unit = float(np.finfo(kind).eps) / 2
    # In float64 the norms are rounded as much as the products.
    gamma = (d + 16) * unit * (2 if kind is np.float64 else 1)
    weights = ((1 - gamma) * norms).astype(kind)
    keys = np.full((len(queries), m), np.inf, kind)
    items = np.full((len(queries), m), -1, np.int32)
    keep = _keep if device_in_use() is None else keep_nearest
    keep(moved, queries, weights, keys, items)
    bounds = keys[:, 0].astype(np.float64) + (1 - gamma) * norms[queries] - d * 1e-37
    # Ranked distances are rounded as well.
    bounds *= 1 - 8 * (d + 16) * np.finfo(np.float64).eps
    if m == n - 1:
        bounds[:] = np.inf
    return items, bounds


def _keep(
    moved: np.ndarray, queries: np.ndarray, weights: np.ndarray, keys: np.ndarray, items: np.ndarray
) -> None:
    """Fill the heaps of the queries tile by tile."""
    n = len(moved)
    everything = len(queries) == n
    buffer = np.empty(_TILE * _TILE, moved.dtype)
    for i in range(0, len(queries), _TILE):
        asked = queries[i : i + _TILE]
        left = moved[i : i + _TILE] if everything else moved[asked]
        # Where all points ask, a tile serves its rows and its columns.
        for j in range(i if everything else 0, n, _TILE):
            right = moved[j : j + _TILE]
            tile = buffer[: len(left) * len(right)].reshape(len(left), len(right))
            np.matmul(left, right.T, out=tile)
            keep_by_row(tile, asked, i, j, weights, keys, items)
            if everything and j > i:
                keep_by_column(tile, i, j, weights, keys, items)


def _parts(points: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield blocks of rows in float64."""
    for start in range(0, len(points), _TILE):
        rows = slice(start, start + _TILE)
        yield rows, points[rows].astype(np.float64)
