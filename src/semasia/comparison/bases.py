"""Bases of functions on the inputs that a space gives, and how those of two models correspond.

Principal components are the directions along which a space varies most; Laplacian eigenmaps the
smoothest functions on its graph of neighbours. Both are taken in order of their eigenvalues. An
eigenvalue that stands several times leaves the choice of its vectors open, and a sign always is:
correlations are absolute.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from semasia.comparison.eigenmaps import eigenmaps
from semasia.comparison.similarity.cka import check_rows
from semasia.comparison.similarity.factors import RANK_SHARE
from semasia.comparison.similarity.products import centred
from semasia.decomposition import eigh, svd
from semasia.errors import ComparisonError
from semasia.geometry.graphs import neighbour_graph

BASES = ("pca", "laplacian")
BASIS_SIZE = 20
BASIS_ROWS = 5000
NEIGHBOURS = 10


class Basis(NamedTuple):
    """Orthonormal functions on the inputs, in order.

    Attributes
    ----------
    vectors : (n, c) float64 array
        c ≤ 20.
    components : int or None
        Connected components of the graph, for eigenmaps.
    """

    vectors: np.ndarray
    components: int | None = None


def pca_basis(Z: Any, size: int = BASIS_SIZE) -> Basis:
    """Return the row scores of the first principal components, of length one.

    Fewer than ``size`` where the centred space has fewer directions. They come from the scatter
    matrix, or the Gram matrix where there are fewer rows than dimensions, at most 5,000 on a side.

    Parameters
    ----------
    Z : (n, d) array-like of float
        2 ≤ n ≤ 5,000.
    size : int

    Raises
    ------
    ComparisonError
        If n is out of range.
    DegenerateEmbeddingError
        If a value is not finite, or all rows coincide.
    """
    _check(len(Z))
    if size < 1:
        raise ComparisonError(f"a basis has one function or more, not {size}.")
    rows = centred(Z, np.float64)
    n, d = rows.shape
    small = rows.T @ rows if d <= n else rows @ rows.T
    values, vectors = eigh(small, last=size)
    kept = vectors[:, values > RANK_SHARE**2 * values[-1]][:, ::-1]
    # Products lose half of the digits of small directions: decomposing the scores gives them back.
    scores = rows @ kept if d <= n else rows @ (rows.T @ kept)
    left, lengths, _ = svd(scores)
    rank = int((lengths > RANK_SHARE * lengths[0]).sum())
    return Basis(left[:, : min(rank, n - 1)])


def laplacian_basis(Z: Any, size: int = BASIS_SIZE, k: int = NEIGHBOURS) -> Basis:
    """Return the first non-trivial eigenvectors of the normalised Laplacian of the neighbour graph.

    The graph joins every row to its k nearest others in either direction, and the Laplacian is
    I − D^(−½) A D^(−½). The trivial vector D^(½)1 is left out. A graph of c components has the
    eigenvalue 0 c times: the c − 1 others come first, from the components' indicators from large
    to small, each made orthogonal to those before.

    Parameters and errors as :func:`pca_basis`; n must be more than k.

    References
    ----------
    Belkin & Niyogi (2003), Neural Computation 15; Chung (1997), Spectral Graph Theory.
    """
    n = len(Z)
    _check(n)
    if n <= k:
        raise ComparisonError(f"{k} neighbours of {n} rows: at least {k + 1} are needed.")
    graph = neighbour_graph(Z, k)
    return Basis(eigenmaps(graph, size), graph.components)


def bases(Z: Any) -> dict[str, Basis]:
    """Return both bases of one model, once for all its pairs."""
    return {"pca": pca_basis(Z), "laplacian": laplacian_basis(Z)}


def cross_correlation(a: Basis, b: Basis) -> np.ndarray:
    """Return the absolute Pearson correlations of two bases, (cA, cB), in [0, 1].

    Raises
    ------
    ComparisonError
        If the numbers of rows differ.
    """
    check_rows(len(a.vectors), len(b.vectors))
    left, right = (v - v.mean(axis=0) for v in (a.vectors, b.vectors))
    norms = np.outer(np.linalg.norm(left, axis=0), np.linalg.norm(right, axis=0))
    return np.minimum(np.abs(left.T @ right) / norms, 1)


def off_diagonal_energy(a: Basis, b: Basis) -> float:
    """Share of ‖C‖²_F off the diagonal of C = Φ_Bᵀ Φ_A, in [0, 1].

    C is the functional map that takes coefficients in the basis of A to those in the basis of B. 0
    where the functions correspond one to one in their order, 1 where none does.

    Raises
    ------
    ComparisonError
        If the numbers of rows differ, or C is zero.

    References
    ----------
    Ovsjanikov, Ben-Chen, Solomon, Butscher & Guibas (2012), ACM Transactions on Graphics 31.
    """
    check_rows(len(a.vectors), len(b.vectors))
    squares = np.square(b.vectors.T @ a.vectors)
    whole = float(squares.sum())
    if not whole > 1e-24:
        raise ComparisonError("the two bases have nothing in common.")
    # Summed as they are: a difference from the whole would be rounding where the share is 0.
    aside = float(squares[~np.eye(*squares.shape, dtype=bool)].sum())
    return min(aside / whole, 1.0)


def _check(n: int) -> None:
    if n > BASIS_ROWS:
        raise ComparisonError(
            f"{n:,} rows; bases are compared on at most {BASIS_ROWS:,}: choose an anchor."
        )
