"""Spectral signatures: the second eigenvalue of a graph's Laplacians, with its residual checked."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg
from threadpoolctl import threadpool_limits

from semasia.decomposition import eigenvalues
from semasia.errors import EigenvalueError
from semasia.geometry.graphs.graph import Graph

# Up to here all eigenvalues are computed, densely.
_DENSE = 300
_ITERATIONS = 1000
# ‖Lv − λv‖ over λ, v of length one. The value is then off by about its square.
_RESIDUAL = 1e-6
_SEED = 0


def eigengap(graph: Graph) -> float | None:
    """λ₁ − λ₀ = λ₁ of the Laplacian D − A: the Fiedler value.

    Returns
    -------
    float or None
        0 where the graph is not connected, as λ₁ then is 0 exactly; None below two nodes.

    Raises
    ------
    EigenvalueError
        If no eigenvalue is found to a residual of 10⁻⁶ of it.

    References
    ----------
    Semasia, Appendix G.2; Fiedler (1973).
    """
    if graph.nodes < 2 or graph.components > 1:
        return None if graph.nodes < 2 else 0.0
    laplacian = scipy.sparse.diags_array(graph.degrees.astype(float)) - graph.adjacency()
    return _second_eigenvalue(laplacian.tocsr(), np.ones(graph.nodes), "eigengap")


def eigengap_normalized(graph: Graph) -> float | None:
    """λ₁ of the symmetric normalised Laplacian I − D^(−½) A D^(−½), in [0, 2].

    Returns and raises as :func:`eigengap`.

    References
    ----------
    Chung (1997), Spectral Graph Theory, Section 1.2.
    """
    if graph.nodes < 2 or graph.components > 1:
        return None if graph.nodes < 2 else 0.0
    root = np.sqrt(graph.degrees)
    halved = scipy.sparse.diags_array(1 / root)
    laplacian = scipy.sparse.eye_array(graph.nodes) - halved @ graph.adjacency() @ halved
    return _second_eigenvalue(laplacian.tocsr(), root, "eigengap_normalized")


def _second_eigenvalue(L: scipy.sparse.csr_array, null: np.ndarray, name: str) -> float:
    """Return the least eigenvalue of L on the complement of its null vector.

    Graphs of many dimensions are expanders, on which preconditioned iterations converge at once
    and factors fill up; long thin ones are the reverse. So iterations come first, and factors
    where these do not end.
    """
    null = null / np.linalg.norm(null)
    if len(null) <= _DENSE:
        return max(float(eigenvalues(L.toarray())[1]), 0.0)
    found = np.inf
    for search in (_iterated, _factored):
        # On tall thin blocks several threads wait for each other more than they work.
        with threadpool_limits(1, user_api="blas"):
            vector = search(L, null)
        vector = vector - null * (null @ vector)
        vector /= np.linalg.norm(vector)
        image = L @ vector
        value = float(vector @ image)
        found = float(np.linalg.norm(image - value * vector)) / value
        if found <= _RESIDUAL:
            return value
    raise EigenvalueError(
        f"{name}: the best residual is {found:.1e} of the eigenvalue, and {_RESIDUAL:.0e} is asked "
        "for; the graph is too nearly disconnected."
    )


def _start(null: np.ndarray) -> np.ndarray:
    vector = np.random.default_rng(_SEED).standard_normal(len(null))
    return vector - null * (null @ vector)


def _iterated(L: scipy.sparse.csr_array, null: np.ndarray) -> np.ndarray:
    """LOBPCG (Knyazev, 2001), preconditioned by the diagonal."""
    scale = scipy.sparse.diags_array(1 / L.diagonal()).tocsr()
    start = _start(null)[:, None]
    tolerance = 0.1 * _RESIDUAL
    vectors: Any = start
    with warnings.catch_warnings():
        # What it warns of is checked by the caller.
        warnings.simplefilter("ignore", UserWarning)
        # Its tolerance is absolute: a small eigenvalue needs a smaller one, known only afterwards.
        for _ in range(3):
            outcome: Any = scipy.sparse.linalg.lobpcg(
                L, vectors, M=scale, Y=null[:, None], tol=tolerance, maxiter=_ITERATIONS,
                largest=False,
            )  # fmt: skip
            values, vectors = outcome[:2]
            wanted = 0.3 * _RESIDUAL * max(float(values[0]), 1e-12)
            if tolerance <= wanted:
                break
            tolerance = wanted
    return vectors[:, 0]


def _factored(L: scipy.sparse.csr_array, null: np.ndarray) -> np.ndarray:
    """Lanczos on the inverse, by sparse factors of L with a slight shift."""
    _, vectors = scipy.sparse.linalg.eigsh(_Inverse(L, null), k=1, which="LA", v0=_start(null))
    return vectors[:, 0]


class _Inverse(scipy.sparse.linalg.LinearOperator):
    """The inverse of L, slightly shifted, on the complement of its null vector."""

    def __init__(self, L: scipy.sparse.csr_array, null: np.ndarray) -> None:
        n = len(null)
        super().__init__(np.float64, (n, n))
        shift = 1e-12 * float(L.diagonal().max())
        self._factors = scipy.sparse.linalg.splu((L + shift * scipy.sparse.eye_array(n)).tocsc())
        self._null = null

    def _matvec(self, x: np.ndarray) -> np.ndarray:
        y = self._factors.solve(self._outside(x.ravel()))
        return self._outside(y)

    def _outside(self, x: np.ndarray) -> np.ndarray:
        return x - self._null * (self._null @ x)
