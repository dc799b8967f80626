"""Cycle signatures: fundamental cycles of a breadth-first tree, and squares around nodes."""

from __future__ import annotations

import numpy as np

from semasia.geometry.graphs.graph import Graph
from semasia.neighbours.compiled import compiled, numba


def breadth_first(graph: Graph) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Walk every component from its smallest node, neighbours in ascending order.

    Returns
    -------
    order : (n,) int32 array
        Nodes as they are reached, component by component.
    parent : (n,) int32 array
        −1 at a root.
    depth : (n,) int32 array
        Edges from the root.
    """
    return _breadth_first(graph.starts, graph.neighbours)


def cycle_length(graph: Graph) -> float | None:
    """Mean length of the fundamental cycles of the breadth-first tree.

    Every edge outside the tree closes one cycle with it, of length d_T(u, v) + 1. The tree is that
    of :func:`breadth_first`, one per component, so that the value depends on the graph and on the
    order of its nodes alone.

    Returns
    -------
    float or None
        At least 3; None where the graph is a forest and has no such edge.

    References
    ----------
    Semasia, Appendix G.2 (which leaves the spanning tree open).
    """
    _, parent, depth = breadth_first(graph)
    total, count = _fundamental(graph.starts, graph.neighbours, parent, depth)
    return total / count if count else None


def cycle_length_lexicographic(graph: Graph) -> float | None:
    """Mean length of the fundamental cycles of the spanning tree that Kruskal's method finds.

    Edges of equal weight are taken in ascending order of both ends, as networkx's
    ``minimum_spanning_tree`` takes those of a sorted sparse matrix: the tree is that of the order
    of the nodes.

    Returns
    -------
    float or None
        As :func:`cycle_length`.

    References
    ----------
    What the published analysis of Semasia computes (SPAICOM/semasia-datasets,
    ``src/metrics/graph.py``).
    """
    inside = _first_forest(graph.starts, graph.neighbours)
    sources = np.repeat(np.arange(graph.nodes), graph.degrees)[inside]
    forest = Graph.from_edges(graph.nodes, np.stack([sources, graph.neighbours[inside]], axis=1))
    _, parent, depth = breadth_first(forest)
    total, count = _fundamental(graph.starts, graph.neighbours, parent, depth)
    return total / count if count else None


def square_clustering(graph: Graph) -> float | None:
    """Mean square clustering coefficient of the nodes.

    C₄(v) is the number of squares around v over the number there could be. With c the number of
    common neighbours of v and w, and t the triangles at v,

        squares(v) = ½ (Σ_w c² − Σ_{u∈N(v)} d_u) − C(d_v, 2)
        potential(v) = (d_v − 1) Σ_{u∈N(v)} d_u − squares(v) − 2 C(d_v, 2) − 2 t

    where the sum over w is one row of the squared adjacency matrix, v itself included. A node
    without potential squares counts as 0.

    Returns
    -------
    float or None
        In [0, 1]; None without nodes.

    References
    ----------
    Semasia, Appendix G.2; Lind, González & Herrmann (2005), in the form of Zhang et al. (2008) as
    networkx has it; the closed form is that definition with its sums over pairs carried out.
    """
    if not graph.nodes:
        return None
    threads = numba.get_num_threads()
    each = _square_clustering(graph.starts, graph.neighbours, graph.degrees, threads)
    return float(each.mean())


@compiled()
def _breadth_first(starts, neighbours):
    n = len(starts) - 1
    order = np.empty(n, np.int32)
    parent = np.full(n, -1, np.int32)
    depth = np.full(n, -1, np.int32)
    reached = 0
    for root in range(n):
        if depth[root] >= 0:
            continue
        depth[root] = 0
        order[reached] = root
        place = reached
        reached += 1
        while place < reached:
            u = order[place]
            place += 1
            for v in neighbours[starts[u] : starts[u + 1]]:
                if depth[v] < 0:
                    depth[v] = depth[u] + 1
                    parent[v] = u
                    order[reached] = v
                    reached += 1
    return order, parent, depth


@compiled()
def _first_forest(starts, neighbours):
    """(2m,) bool: edges (u, v), u < v, that join two components when all before have been."""
    n = len(starts) - 1
    root = np.arange(n)
    inside = np.zeros(len(neighbours), np.bool_)
    for u in range(n):
        for place in range(starts[u], starts[u + 1]):
            v = neighbours[place]
            if v < u:
                continue
            a = u
            while root[a] != a:
                root[a] = root[root[a]]
                a = root[a]
            b = v
            while root[b] != b:
                root[b] = root[root[b]]
                b = root[b]
            if a != b:
                root[b] = a
                inside[place] = True
    return inside


@compiled()
def _fundamental(starts, neighbours, parent, depth):
    """Sum and number of the lengths of fundamental cycles."""
    total = 0
    count = 0
    for u in range(len(starts) - 1):
        for v in neighbours[starts[u] : starts[u + 1]]:
            if v <= u or parent[u] == v or parent[v] == u:
                continue
            a = u
            b = v
            length = 1
            while a != b:
                if depth[a] >= depth[b]:
                    a = parent[a]
                else:
                    b = parent[b]
                length += 1
            total += length
            count += 1
    return total, count


@compiled(parallel=True)
def _square_clustering(starts, neighbours, degrees, slices):
    """(n,) square clustering coefficients."""
    n = len(degrees)
    result = np.zeros(n)
    common = np.zeros((slices, n), np.int64)
    for s in numba.prange(slices):
        row = common[s]
        # Interleaved, as nodes of high degree may stand together.
        for v in range(s, n, slices):
            own = neighbours[starts[v] : starts[v + 1]]
            around = 0
            squared = 0
            for u in own:
                around += degrees[u]
                for w in neighbours[starts[u] : starts[u + 1]]:
                    squared += 2 * row[w] + 1
                    row[w] += 1
            corners = 0
            for u in own:
                corners += row[u]
            for u in own:
                for w in neighbours[starts[u] : starts[u + 1]]:
                    row[w] = 0
            pairs = degrees[v] * (degrees[v] - 1) // 2
            squares = (squared - around) // 2 - pairs
            # Every triangle at v has two corners besides v.
            potential = (degrees[v] - 1) * around - squares - 2 * pairs - corners
            if potential > 0:
                result[v] = squares / potential
    return result
