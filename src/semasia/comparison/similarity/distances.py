"""Measures of all pairs of rows: kernel CKA and representational similarity.

They need a value for every pair, so that they are taken on a sample of the anchor's rows, the same
positions for every model.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata

from semasia.comparison.similarity.cka import check_rows
from semasia.comparison.similarity.intervals import BLOCKS, Blocks
from semasia.comparison.similarity.products import centred
from semasia.errors import ComparisonError, DegenerateEmbeddingError
from semasia.geometry.metrics import checked
from semasia.inputs.selection import select_rows

# An n × n kernel in float64 of so many rows takes 32 MB.
KERNEL_ROWS = 2000
RSA_ROWS = 1000
# Kornblith et al. use 0.2, 0.4 and 0.8.
BANDWIDTH = 0.4


def kernel_cka(A: Any, B: Any, bandwidth: float = BANDWIDTH) -> float:
    """CKA with kernels exp(−‖x − y‖² / 2σ²), in [0, 1], on a sample of at most 2,000 rows.

    Parameters
    ----------
    A : (n, dA) array-like of float
    B : (n, dB) array-like of float
    bandwidth : float
        σ over the median Euclidean distance of two rows of the sample, in each space its own.

    Raises
    ------
    ComparisonError
        If the numbers of rows differ or are less than two, or half of the distances are zero.
    DegenerateEmbeddingError
        If a value is not finite, or all rows of one coincide.

    References
    ----------
    Kornblith, Norouzi, Lee & Hinton (2019), ICML, section 3; Cortes, Mohri & Rostamizadeh (2012).
    """
    check_rows(len(A), len(B))
    if not 0 < bandwidth < np.inf:
        raise ComparisonError(f"a bandwidth is above 0 and finite, not {bandwidth}.")
    return kernel_cka_of(*(centred_kernel(Z, bandwidth) for Z in (A, B)))


def rsa(A: Any, B: Any) -> float:
    """Spearman correlation of the Euclidean distances of all pairs, on at most 1,000 rows.

    Parameters
    ----------
    A : (n, dA) array-like of float
    B : (n, dB) array-like of float

    Returns
    -------
    float
        In [−1, 1].

    Raises
    ------
    ComparisonError
        If the numbers of rows differ or are less than three, or all distances are equal.
    DegenerateEmbeddingError
        If a value is not finite, or all rows of one coincide.

    References
    ----------
    Kriegeskorte, Mur & Bandettini (2008), Frontiers in Systems Neuroscience 2:4.
    """
    check_rows(len(A), len(B))
    return rsa_of(*(distance_ranks(Z) for Z in (A, B)))


def sampled(n: int, most: int) -> np.ndarray:
    """Return the positions of all rows, or of ``most`` by the hash of their positions, in order."""
    return select_rows(np.arange(n, dtype=np.uint32), None, most)


def sample(Z: Any, most: int) -> np.ndarray:
    """Return the rows at the positions of :func:`sampled`."""
    rows = checked(Z)
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        raise DegenerateEmbeddingError(f"row {bad[0]} is not finite.")
    return rows[sampled(len(rows), most)]


def centred_kernel(Z: Any, bandwidth: float = BANDWIDTH) -> np.ndarray:
    """Return the doubly centred kernel of a sample, of Frobenius norm one, (s, s) float64."""
    rows = centred(sample(Z, KERNEL_ROWS), np.float64)
    n = len(rows)
    kernel = rows @ rows.T
    squares = np.diag(kernel).copy()
    kernel *= -2
    kernel += squares
    kernel += squares[:, None]
    np.maximum(kernel, 0, out=kernel)
    median = float(np.median(np.sqrt(kernel[np.triu_indices(n, 1)])))
    # A distance from products has an error of about 1e-8 of the norms.
    if not median > 1e-7 * np.sqrt(squares.max()):
        raise ComparisonError("half of the distances are zero: the kernel has no bandwidth.")
    kernel *= -1 / (2 * (bandwidth * median) ** 2)
    np.exp(kernel, out=kernel)
    np.fill_diagonal(kernel, 1.0)
    return _standard(kernel)


def _standard(kernel: np.ndarray) -> np.ndarray:
    """Centre a symmetric kernel by rows and columns and bring it to norm one, in place."""
    means = kernel.mean(axis=0)
    kernel -= means
    kernel -= means[:, None]
    kernel += means.mean()
    kernel /= np.linalg.norm(kernel)
    return kernel


def kernel_cka_of(a: np.ndarray, b: np.ndarray) -> float:
    """Return kernel CKA from two centred kernels of norm one."""
    return float(np.clip(np.vdot(a, b), 0, 1))


def distance_ranks(Z: Any) -> np.ndarray:
    """Return the ranks of the distances of all pairs of a sample, centred and of norm one.

    Equal distances have their mean rank. Distances come from differences, not from products, so
    that equal rows are at 0 exactly. Returns (s (s − 1) / 2,) float64.
    """
    rows = centred(sample(Z, RSA_ROWS), np.float64)
    ranks = rankdata(pdist(rows))
    ranks -= ranks.mean()
    norm = float(np.linalg.norm(ranks))
    if not norm > 0:
        raise ComparisonError("all distances are equal: they have no order.")
    return ranks / norm


def rsa_of(a: np.ndarray, b: np.ndarray) -> float:
    """Return the Spearman correlation from two vectors of centred ranks of norm one."""
    return float(np.clip(a @ b, -1, 1))


def kernel_cka_left_out(a: np.ndarray, b: np.ndarray, blocks: Blocks) -> np.ndarray:
    """Return kernel CKA with each block of the sample left out, the bandwidths fixed.

    Centring again what stays of a centred kernel is centring what stays of the kernel: rows and
    columns differ by constants.

    Parameters
    ----------
    a, b : (s, s) arrays
        As :func:`centred_kernel` returns them.
    blocks : Blocks
        Of all rows.

    Returns
    -------
    (g,) float64 array
    """
    return np.array(
        [
            kernel_cka_of(*(_standard(kernel[np.ix_(stay, stay)]) for kernel in (a, b)))
            for stay in _staying(blocks, KERNEL_ROWS)
        ]
    )


def rsa_left_out(a: np.ndarray, b: np.ndarray, blocks: Blocks) -> np.ndarray:
    """Return the Spearman correlation with each block of the sample left out, ranked again.

    Parameters
    ----------
    a, b : (s (s − 1) / 2,) arrays
        As :func:`distance_ranks` returns them.
    blocks : Blocks
        Of all rows.

    Returns
    -------
    (g,) float64 array
        NaN where the distances that stay are all equal.
    """
    squares = [squareform(ranks) for ranks in (a, b)]
    found = []
    for stay in _staying(blocks, RSA_ROWS):
        upper = np.triu_indices(len(stay), 1)
        pair = [rankdata(ranks[np.ix_(stay, stay)][upper]) for ranks in squares]
        pair = [ranks - ranks.mean() for ranks in pair]
        norm = float(np.linalg.norm(pair[0]) * np.linalg.norm(pair[1]))
        found.append(np.clip(pair[0] @ pair[1] / norm, -1, 1) if norm > 0 else np.nan)
    return np.array(found)


def _staying(blocks: Blocks, most: int) -> list[np.ndarray]:
    """Return the positions in a sample that stay when each block of all rows is left out."""
    of = blocks.of[sampled(len(blocks.of), most)]
    return [np.flatnonzero(of != block) for block in range(BLOCKS)]
