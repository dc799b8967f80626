"""An undirected graph as sorted neighbour lists, and the graph of nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse


@dataclass(frozen=True)
class Graph:
    """A simple undirected graph on nodes 0 … n − 1.

    Attributes
    ----------
    starts : (n + 1,) int64 array
        Where the neighbours of each node begin in ``neighbours``.
    neighbours : (2m,) int32 array
        Ascending within each node; every edge stands in both directions.
    """

    starts: np.ndarray
    neighbours: np.ndarray

    @classmethod
    def from_edges(cls, nodes: int, edges: Any) -> Graph:
        """Make a graph from pairs of nodes, in any order; loops and repetitions do not count.

        Parameters
        ----------
        nodes : int
        edges : (e, 2) array-like of int
        """
        pairs = np.asarray(edges, np.int64).reshape(-1, 2)
        pairs = pairs[pairs[:, 0] != pairs[:, 1]]
        directed = np.concatenate([pairs, pairs[:, ::-1]])
        codes = np.unique(directed[:, 0] * nodes + directed[:, 1])
        sources, neighbours = np.divmod(codes, max(nodes, 1))
        counts = np.bincount(sources, minlength=nodes)
        return cls(np.concatenate([[0], np.cumsum(counts)]), neighbours.astype(np.int32))

    @property
    def nodes(self) -> int:
        return len(self.starts) - 1

    @property
    def edges(self) -> int:
        return len(self.neighbours) // 2

    @cached_property
    def degrees(self) -> np.ndarray:
        """(n,) int64."""
        return np.diff(self.starts)

    @cached_property
    def component_of(self) -> np.ndarray:
        """(n,) int32: the connected component of each node."""
        return scipy.sparse.csgraph.connected_components(self.adjacency(), directed=False)[1]

    @property
    def components(self) -> int:
        return int(self.component_of.max(initial=-1)) + 1

    @property
    def density(self) -> float | None:
        """2|E| / (n(n − 1)); None below two nodes."""
        n = self.nodes
        return 2 * self.edges / (n * (n - 1)) if n > 1 else None

    def adjacency(self) -> scipy.sparse.csr_array:
        """Return the (n, n) float64 adjacency matrix."""
        ones = np.ones(len(self.neighbours))
        shape = (self.nodes, self.nodes)
        return scipy.sparse.csr_array((ones, self.neighbours, self.starts), shape=shape)


def neighbour_graph(Z: Any, k: int) -> Graph:
    """Return the graph that joins every row to its k nearest others, in either direction.

    Two rows are joined where one of them is among the k nearest of the other (union).

    Parameters
    ----------
    Z : (n, d) array-like of float
    k : int
        1 ≤ k < n.

    Raises
    ------
    DegenerateEmbeddingError
        As :func:`semasia.neighbours.nearest_neighbours`, which says how ties are broken.

    References
    ----------
    Semasia, Appendix G.1.
    """
    from semasia.neighbours import nearest_neighbours

    nearest = nearest_neighbours(Z, k)
    sources = np.repeat(np.arange(len(nearest)), k)
    return Graph.from_edges(len(nearest), np.stack([sources, nearest.ravel()], axis=1))
