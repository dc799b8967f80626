"""Graphs of nearest neighbours and their signatures, against networkx and scikit-learn.

Synthetic points in 50 clusters of 768 dimensions: centres, a spread of 32 dimensions, and noise.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any, cast

import numpy as np

_K = 10
_WIDTH = 768
_POINTS = (10_000, 50_000)
_REPEATS = 3
# The baseline's searches start from as many nodes, and their time is scaled to all.
_SOURCES = 500
_FIRST = (
    "import numpy as np, time; from semasia.geometry.graphs import *; began = time.perf_counter();"
    "Z = np.random.default_rng(0).standard_normal((400, 8)).astype(np.float32);"
    "graph_signatures(neighbour_graph(Z, 10)); print(time.perf_counter() - began)"
)


def run() -> dict[str, Any]:
    """Time ours and the baseline on the same points, and ours on more of them."""
    result: dict[str, Any] = {"k": _K, "width": _WIDTH, "load_before": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as folder:
        # Compiled into an empty cache, then read from it.
        result["first_call_s"], result["first_call_cached_s"] = (_first(folder) for _ in range(2))
    few, many = _POINTS
    Z = _clusters(few)
    _ours(Z[:400])
    runs = [_ours(Z) for _ in range(_REPEATS)]
    ours = {part: round(statistics.median(t[part] for t, _ in runs), 3) for part in runs[0][0]}
    theirs, values = _baseline(Z)
    for name, value in values.items():
        assert np.isclose(runs[0][1][name], value, rtol=1e-6), (name, runs[0][1][name], value)
    total, baseline = sum(ours.values()), sum(theirs.values())
    result[f"{few}"] = {
        "repeats": _REPEATS,
        "ours_s": ours,
        "baseline_s": theirs,
        "baseline_sources": _SOURCES,
        "ours_total_s": round(total, 2),
        "baseline_total_s": round(baseline, 1),
        "ratio": round(baseline / total, 1),
        "signatures_ratio": round(
            (baseline - theirs["neighbours"]) / (total - ours["neighbours"]), 1
        ),
    }
    seconds, values = _ours(_clusters(many))
    seconds = {part: round(s, 2) for part, s in seconds.items()}
    result[f"{many}"] = {"ours_s": seconds, "ours_total_s": round(sum(seconds.values()), 1)}
    result["signatures_of_many"] = values
    for points in _POINTS:
        print(points, result[f"{points}"], flush=True)
    return result


def _clusters(n: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = 0.35 * rng.standard_normal((50, _WIDTH))
    spread = 0.2 * rng.standard_normal((32, _WIDTH))
    points = centres[rng.integers(0, 50, n)] + rng.standard_normal((n, 32)) @ spread
    return (points + 0.1 * rng.standard_normal((n, _WIDTH))).astype(np.float32)


def _first(cache: str) -> float:
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
    command = [sys.executable, "-c", _FIRST]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return round(float(done.stdout), 1)


def _timed(seconds: dict[str, float], name: str, make: Callable[[], Any]) -> Any:
    began = time.perf_counter()
    made = make()
    seconds[name] = time.perf_counter() - began
    return made


def _ours(Z: np.ndarray) -> tuple[dict[str, float], dict[str, Any]]:
    from semasia.geometry import graphs

    seconds: dict[str, float] = {}
    graph = _timed(seconds, "neighbours", lambda: graphs.neighbour_graph(Z, _K))
    measures = (graphs.cycle_length, graphs.square_clustering, graphs.eigengap)
    values = {m.__name__: _timed(seconds, m.__name__, lambda m=m: m(graph)) for m in measures}
    distances = _timed(
        seconds, "wiener_index and diameter", lambda: graphs.distance_signatures(graph)
    )
    return seconds, {**values, **distances._asdict()}


def _baseline(Z: np.ndarray) -> tuple[dict[str, float], dict[str, Any]]:
    """What a user would write, in seconds; the sampled searches give no value to compare."""
    import networkx as nx
    import scipy.sparse.linalg
    from sklearn.neighbors import kneighbors_graph

    seconds: dict[str, float] = {}

    def joined() -> Any:
        directed = kneighbors_graph(Z, _K)
        return nx.from_scipy_sparse_array(directed.maximum(directed.T))

    def cycles() -> float:
        parent = dict(nx.bfs_predecessors(G, 0, sort_neighbors=sorted))
        depth = nx.single_source_shortest_path_length(G, 0)
        lengths = []
        for u, v in G.edges:
            if parent.get(u) == v or parent.get(v) == u:
                continue
            length = 1
            while u != v:
                if depth[u] >= depth[v]:
                    u = parent[u]
                else:
                    v = parent[v]
                length += 1
            lengths.append(length)
        return float(np.mean(lengths))

    def searches() -> None:
        for source in range(0, len(G), len(G) // _SOURCES):
            sum(cast("Any", nx.single_source_shortest_path_length(G, source)).values())

    def gap() -> float:
        L = nx.laplacian_matrix(G).astype(float)
        return float(scipy.sparse.linalg.eigsh(L, k=2, which="SA", return_eigenvectors=False)[0])

    def squares() -> float:
        return float(np.mean(list(cast("Any", nx.square_clustering(G)).values())))

    G = _timed(seconds, "neighbours", joined)
    values = {
        "cycle_length": _timed(seconds, "cycle_length", cycles),
        "square_clustering": _timed(seconds, "square_clustering", squares),
        "eigengap": _timed(seconds, "eigengap", gap),
    }
    _timed(seconds, "wiener_index and diameter", searches)
    seconds["wiener_index and diameter"] *= len(G) / _SOURCES
    return {name: round(s, 2) for name, s in seconds.items()}, values
