"""Whether two spaces give the inputs the same neighbours.

Neighbours are exact and found once at the largest k, whose lists hold those of every smaller k.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from semasia.comparison.similarity.cka import check_rows
from semasia.errors import ComparisonError
from semasia.geometry.metrics import checked

NPS_K = (5, 10, 25, 50)
JACCARD_K = 10
METRICS = ("cosine", "euclidean")
# Rows whose lists are compared at a time: 1,024 × 50 × 50 booleans are 2.5 MB.
_ROWS = 1024
# Of a squared distance, as a share of squared norms.
_ROUNDING = 1e-13


def nps(
    A: Any, B: Any, ks: Sequence[int] = NPS_K, metric: str = "cosine"
) -> dict[int, float]:  # fmt: skip
    """Neighborhood Preservation Score, or mutual kNN: mean of |N_k^A(i) ∩ N_k^B(i)| / k.

    Parameters
    ----------
    A : (n, dA) array-like of float
    B : (n, dB) array-like of float
    ks : sequence of int
        Each at least 1 and less than n.
    metric : str
        ``cosine`` or ``euclidean``.

    Returns
    -------
    dict
        k to a value in [0, 1]. For independent spaces it is k / (n − 1) on average, unless rows
        coincide: of rows at one distance those that stand first are taken, in both spaces alike.
        :func:`tied_shares` tells of how many rows that is so.

    Raises
    ------
    ComparisonError
        If the numbers of rows differ or are not more than k, or a row is zero and has no cosine.
    DegenerateEmbeddingError
        If a value is not finite; the message names the row.

    References
    ----------
    Huh, Cheung, Wang & Isola (2024), ICML, appendix A, for mutual kNN.
    """
    if not len(ks) or any(int(k) != k or k < 1 for k in ks):
        raise ComparisonError(f"numbers of neighbours are whole and 1 or more, not {list(ks)}.")
    common = common_neighbours(*(neighbour_lists(Z, max(ks), metric) for Z in (A, B)))
    return {k: float(nps_scores(common[:, k - 1], k).mean()) for k in ks}


def neighbour_jaccard(A: Any, B: Any, k: int = JACCARD_K, metric: str = "cosine") -> float:
    """Mean of |N_k^A(i) ∩ N_k^B(i)| / |N_k^A(i) ∪ N_k^B(i)|, in [0, 1].

    Parameters and errors as :func:`nps`.
    """
    common = common_neighbours(*(neighbour_lists(Z, k, metric) for Z in (A, B)))
    return float(jaccard_scores(common[:, k - 1], k).mean())


def neighbour_lists(Z: Any, k: int, metric: str) -> np.ndarray:
    """Return the k nearest other rows of every row, nearest first, (n, k) int32.

    Rows at equal distance come in the order of their index. For the cosine, rows are first divided
    by their norms in float64, so that rows of one direction may differ by rounding.
    Errors as :func:`nps`.
    """
    # Numba takes half a second to import.
    from semasia.neighbours import nearest_neighbours

    if metric not in METRICS:
        raise ComparisonError(f"no metric {metric!r} ({', '.join(METRICS)}).")
    rows = checked(Z)
    if not 1 <= k < len(rows):
        raise ComparisonError(f"{k} neighbours of {len(rows)} rows: at least {k + 1} are needed.")
    return nearest_neighbours(_directions(rows) if metric == "cosine" else rows, k)


def tied_shares(Z: Any, lists: np.ndarray, ks: Sequence[int], metric: str) -> dict[int, float]:
    """Return the share of rows whose k-th and next nearest rows are at one distance, for each k.

    Of such a row it is the order of rows that decides which are its neighbours. Distances are equal
    where they differ by less than their rounding.

    Parameters
    ----------
    Z : (n, d) array-like of float
    lists : (n, K) int array
        From :func:`neighbour_lists`.
    ks : sequence of int
        Those of K or more have no next row in the lists, and are left out.
    metric : str
    """
    rows = checked(Z)
    if metric == "cosine":
        points = _directions(rows)
    else:
        # By a power of two, so that squares neither overflow nor vanish.
        reach = float(np.abs(rows).max(initial=0)) or 1.0
        points = rows.astype(np.float64) * 2.0 ** -np.clip(np.ceil(np.log2(reach)), -1000, 1000)
    found = {}
    for k in (k for k in ks if k < lists.shape[1]):
        tied = 0
        for start in range(0, len(points), _ROWS):
            part = slice(start, start + _ROWS)
            last, following = (
                np.square(points[part] - points[lists[part, place]]).sum(axis=1)
                for place in (k - 1, k)
            )
            size = np.square(points[part]).sum(axis=1) + np.maximum(last, following)
            tied += int((following - last <= _ROUNDING * size).sum())
        found[k] = tied / len(points)
    return found


def common_neighbours(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return how many of the k nearest rows are in both lists, for every k up to their length.

    Parameters
    ----------
    a, b : (n, K) int arrays
        Nearest first.

    Returns
    -------
    (n, K) int64 array
        |N_k^A(i) ∩ N_k^B(i)| in column k − 1.
    """
    check_rows(len(a), len(b))
    most = a.shape[1]
    counts = np.empty((len(a), most), np.int64)
    for start in range(0, len(a), _ROWS):
        rows = slice(start, start + _ROWS)
        same = a[rows, :, None] == b[rows, None, :]
        row, pair = np.divmod(np.flatnonzero(same), most * most)
        # A row that both lists have counts from the larger of its two ranks on.
        rank = np.maximum(*np.divmod(pair, most))
        found = np.bincount(row * most + rank, minlength=len(same) * most)
        counts[rows] = found.reshape(len(same), most).cumsum(axis=1)
    return counts


def nps_scores(common: np.ndarray, k: int) -> np.ndarray:
    """Return the share of common neighbours of rows that have so many of k in common."""
    return common / k


def jaccard_scores(common: np.ndarray, k: int) -> np.ndarray:
    """Return the Jaccard index of the two lists of rows that have so many of k in common."""
    return common / (2 * k - common)


def _directions(rows: np.ndarray) -> np.ndarray:
    """Return rows of length one in float64; a power of two first keeps squares from vanishing."""
    result = rows.astype(np.float64)
    reach = np.abs(result).max(axis=1, initial=0)
    zero = np.flatnonzero(reach == 0)
    if len(zero):
        raise ComparisonError(
            f"row {zero[0]} is zero and has no cosine ({len(zero)} such rows)."
        )  # fmt: skip
    with np.errstate(invalid="ignore"):
        result *= 2.0 ** -np.clip(np.ceil(np.log2(reach)), -1000, 1000)[:, None]
        result /= np.sqrt(np.einsum("ij,ij->i", result, result))[:, None]
    return result
