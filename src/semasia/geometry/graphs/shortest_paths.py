"""Distance signatures: the breadth-first searches from all nodes, 256 at a time in bits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from semasia.geometry.graphs.cycles import breadth_first
from semasia.geometry.graphs.graph import Graph
from semasia.neighbours.compiled import compiled, numba

# Words of 64 sources that are searched together: as many as a cache holds the frontiers of.
_WORDS = 4


class DistanceSignatures(NamedTuple):
    """What the distances of all connected pairs add up to, and the greatest of them."""

    wiener_index: int
    diameter: int


def distance_signatures(graph: Graph) -> DistanceSignatures:
    """Return Wiener index and diameter over connected pairs.

    W = Σ_{{u,v}} d(u, v) and diam = max d(u, v), d in edges. Pairs in different components do not
    count; a graph without edges has 0 and 0.

    References
    ----------
    Semasia, Appendix G.2. The searches share memory reads as in Then et al. (2014), "The more the
    merrier".
    """
    order, _, _ = breadth_first(graph)
    # Nodes as a search meets them: components are contiguous, and neighbours near in memory.
    starts, neighbours = _renamed(graph.starts, graph.neighbours, order)
    labels = graph.component_of[order]
    first = np.flatnonzero(np.diff(labels, prepend=-1))
    sizes = np.diff(first, append=len(order))
    batches = -(-sizes // (64 * _WORDS))
    low = np.repeat(first, batches)
    begin = low + 64 * _WORDS * np.concatenate([np.arange(b) for b in batches] or [[]]).astype(int)
    total, greatest = _all_pairs(starts, neighbours, low, low + np.repeat(sizes, batches), begin)
    return DistanceSignatures(int(total) // 2, int(greatest))


@compiled()
def _renamed(starts, neighbours, order):
    """Give every node its place in ``order`` as its number."""
    n = len(order)
    place = np.empty(n, np.int32)
    for i in range(n):
        place[order[i]] = i
    new_starts = np.zeros(n + 1, np.int64)
    result = np.empty_like(neighbours)
    end = 0
    for i in range(n):
        u = order[i]
        for v in neighbours[starts[u] : starts[u + 1]]:
            result[end] = place[v]
            end += 1
        result[new_starts[i] : end].sort()
        new_starts[i + 1] = end
    return new_starts, result


@compiled(inline="always")
def _ones(x):
    """Number of set bits of a uint64 (Warren, Hacker's Delight, Section 5-1)."""
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * np.uint64(0x0101010101010101)) >> np.uint64(56))


@compiled(parallel=True)
def _all_pairs(starts, neighbours, low, high, begin):
    """Sum of distances over ordered pairs, and the greatest.

    A batch searches from up to 256 nodes, begin… of the component low … high − 1.
    """
    batches = len(low)
    sums = np.zeros(batches, np.int64)
    greatest = np.zeros(batches, np.int64)
    for batch in numba.prange(batches):
        a = low[batch]
        n = high[batch] - a
        seen = np.zeros((n, _WORDS), np.uint64)
        front = np.zeros((n, _WORDS), np.uint64)
        after = np.zeros((n, _WORDS), np.uint64)
        full = np.zeros(_WORDS, np.uint64)
        for s in range(min(64 * _WORDS, high[batch] - begin[batch])):
            bit = np.uint64(1) << np.uint64(s % 64)
            seen[begin[batch] - a + s, s // 64] = bit
            front[begin[batch] - a + s, s // 64] = bit
            full[s // 64] |= bit
        f0, f1, f2, f3 = full
        level = 0
        total = 0
        found = 1
        while found:
            level += 1
            found = 0
            for v in range(n):
                s0, s1, s2, s3 = seen[v, 0], seen[v, 1], seen[v, 2], seen[v, 3]
                if s0 == f0 and s1 == f1 and s2 == f2 and s3 == f3:
                    after[v, 0] = after[v, 1] = after[v, 2] = after[v, 3] = np.uint64(0)
                    continue
                n0 = n1 = n2 = n3 = np.uint64(0)
                for e in range(starts[a + v], starts[a + v + 1]):
                    u = neighbours[e] - a
                    n0 |= front[u, 0]
                    n1 |= front[u, 1]
                    n2 |= front[u, 2]
                    n3 |= front[u, 3]
                n0 &= ~s0
                n1 &= ~s1
                n2 &= ~s2
                n3 &= ~s3
                after[v, 0], after[v, 1], after[v, 2], after[v, 3] = n0, n1, n2, n3
                seen[v, 0], seen[v, 1], seen[v, 2], seen[v, 3] = s0 | n0, s1 | n1, s2 | n2, s3 | n3
                found += _ones(n0) + _ones(n1) + _ones(n2) + _ones(n3)
            total += level * found
            front, after = after, front
        sums[batch] = total
        greatest[batch] = level - 1
    return sums.sum(), greatest.max() if batches else 0
