"""Eigenvectors of the normalised Laplacian of a graph: its smoothest functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from semasia.decomposition import eigh
from semasia.geometry.graphs import Graph

# Up to here all eigenvectors are computed, densely.
_DENSE = 300
# Lanczos vectors; with fewer than twice those sought it converges slowly.
_LEAST_VECTORS = 80
_SEED = 0


def eigenmaps(graph: Graph, size: int) -> np.ndarray:
    """Return the first eigenvectors of I − D^(−½) A D^(−½) but the trivial one, D^(½)1.

    A graph of c components has the eigenvalue 0 c times: the c − 1 others come first, from the
    components' indicators from large to small, each made orthogonal to those before. They are known
    without a search, which is then for what is orthogonal to them.

    These are v of the symmetric Laplacian. Belkin and Niyogi's f solve (D − A) f = λ D f and are
    D^(−½) v: the same functions weighed by degrees, not orthonormal.

    Parameters
    ----------
    graph : Graph
        Every node has a neighbour.
    size : int

    Returns
    -------
    (n, min(size, n − 1)) float64 array
        Orthonormal columns; the sign of each is arbitrary.
    """
    null = _null_vectors(graph)
    smooth = null[:, 1 : size + 1]
    wanted = min(size, graph.nodes - 1) - smooth.shape[1]
    return np.hstack([smooth, _smoothest(graph, null, wanted)]) if wanted > 0 else smooth


def _null_vectors(graph: Graph) -> np.ndarray:
    """Return orthonormal vectors of eigenvalue 0, (n, c), the trivial one first."""
    root = np.sqrt(graph.degrees)
    sizes = np.bincount(graph.component_of)
    order = np.argsort(-sizes, kind="stable")
    members = graph.component_of[:, None] == order[: len(sizes) - 1]
    vectors = np.column_stack([root, root[:, None] * members])
    return np.linalg.qr(vectors)[0]


def _smoothest(graph: Graph, null: np.ndarray, count: int) -> np.ndarray:
    """Return the eigenvectors of the least eigenvalues but 0, (n, count)."""
    n = graph.nodes
    halved = scipy.sparse.diags_array(1 / np.sqrt(graph.degrees))
    similar = (halved @ graph.adjacency() @ halved).tocsr()
    count = min(count, n - null.shape[1])

    def dense() -> np.ndarray:
        # What is left out goes below the least eigenvalue of D^(−½) A D^(−½), which is −1.
        matrix = similar.toarray() - 3 * (null @ null.T)
        return eigh(matrix, last=count)[1]

    if n <= _DENSE:
        return dense()[:, ::-1]
    operator: Any = scipy.sparse.linalg.aslinearoperator(similar) - _Projection(null)
    start = np.random.default_rng(_SEED).standard_normal(n)
    start -= null @ (null.T @ start)
    try:
        values, vectors = scipy.sparse.linalg.eigsh(
            operator, k=count, which="LA", v0=start, ncv=min(n, max(4 * count, _LEAST_VECTORS))
        )
    except scipy.sparse.linalg.ArpackNoConvergence:
        return dense()[:, ::-1]
    return vectors[:, np.argsort(-values)]


class _Projection(scipy.sparse.linalg.LinearOperator):
    """Three times the projection on orthonormal vectors."""

    def __init__(self, vectors: np.ndarray) -> None:
        super().__init__(np.float64, (len(vectors), len(vectors)))
        self._vectors = vectors

    def _matvec(self, x: np.ndarray) -> np.ndarray:
        return 3 * (self._vectors @ (self._vectors.T @ x))
