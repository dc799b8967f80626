"""Every signature against networkx and scipy, written plainly."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.neighbors import kneighbors_graph

from semasia.errors import EigenvalueError
from semasia.geometry.graphs import (
    SIGNATURES,
    Graph,
    eigengap,
    eigengap_normalized,
    graph_signatures,
    neighbour_graph,
    spectrum,
)


def graph_of(G: nx.Graph) -> Graph:
    return Graph.from_edges(len(G), np.array(G.edges).reshape(-1, 2))


def second(L: Any) -> float:
    return scipy.linalg.eigvalsh(L.toarray())[1]


def plainly(G: nx.Graph) -> dict[str, Any]:
    """The definitions of Appendix G.2 by networkx."""
    tree = nx.Graph()
    for component in nx.connected_components(G):
        tree.add_nodes_from(component)
        tree.add_edges_from(nx.bfs_tree(G, min(component), sort_neighbors=sorted).edges)
    cycles = [
        nx.shortest_path_length(tree, u, v) + 1 for u, v in G.edges if not tree.has_edge(u, v)
    ]
    lengths = [d for _, reached in nx.all_pairs_shortest_path_length(G) for d in reached.values()]
    connected = nx.is_connected(G)
    return {
        "nodes": len(G),
        "edges": G.number_of_edges(),
        "components": nx.number_connected_components(G),
        "cycle_length": np.mean(cycles) if cycles else None,
        "square_clustering": np.mean(list(nx.square_clustering(G).values())),
        "wiener_index": sum(lengths) // 2,
        "eigengap": second(nx.laplacian_matrix(G)) if connected else 0,
        "eigengap_normalized": second(nx.normalized_laplacian_matrix(G)) if connected else 0,
        "diameter": max(lengths),
        "density": nx.density(G),
    }


def assert_equal(G: nx.Graph) -> dict[str, Any]:
    found, expected = graph_signatures(graph_of(G))[0], plainly(G)
    assert tuple(found) == SIGNATURES
    for name in SIGNATURES:
        if expected[name] is None:
            assert found[name] is None, name
        else:
            assert found[name] == pytest.approx(expected[name], rel=1e-9, abs=1e-12), name
    return found


@pytest.mark.parametrize("seed", range(6))
def test_the_papers_cycles_are_those_of_networkx_minimum_spanning_tree(seed: int) -> None:
    G = nx.gnm_random_graph(60, 150, seed=seed)
    ordered = nx.from_scipy_sparse_array(nx.to_scipy_sparse_array(G, nodelist=range(60)))
    tree = nx.minimum_spanning_tree(ordered)
    known = [
        nx.shortest_path_length(tree, u, v) + 1 for u, v in ordered.edges if not tree.has_edge(u, v)
    ]
    values = graph_signatures(graph_of(G), "paper")[0]
    assert values["cycle_length"] == pytest.approx(np.mean(known))
    assert values["cycle_length"] != graph_signatures(graph_of(G))[0]["cycle_length"]
    assert graph_signatures(graph_of(nx.path_graph(5)), "paper")[0]["cycle_length"] is None


def two_triangles() -> nx.Graph:
    return nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3))


GRAPHS = {
    "path": nx.path_graph(9),
    "star": nx.star_graph(8),
    "one edge": nx.path_graph(2),
    "forest": nx.disjoint_union(nx.path_graph(4), nx.star_graph(3)),
    "cycle": nx.cycle_graph(11),
    "complete": nx.complete_graph(12),
    "bipartite": nx.complete_bipartite_graph(4, 7),
    "lattice": nx.convert_node_labels_to_integers(nx.grid_2d_graph(6, 7)),
    "two triangles": two_triangles(),
    "without edges": nx.empty_graph(5),
    "isolated nodes": nx.compose(nx.cycle_graph(5), nx.empty_graph(8)),
    "karate": nx.karate_club_graph(),
    "lollipop": nx.lollipop_graph(10, 30),
    "hubs": nx.barabasi_albert_graph(400, 4, seed=1),
    "a batch exactly": nx.connected_watts_strogatz_graph(256, 6, 0.2, seed=1),
    "over a batch": nx.connected_watts_strogatz_graph(700, 4, 0.1, seed=1),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_equals_networkx(name: str) -> None:
    G = nx.Graph(GRAPHS[name].edges)
    G.add_nodes_from(GRAPHS[name])
    assert_equal(G)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 90), st.floats(0, 0.3))
def test_equals_networkx_on_random_graphs(seed: int, n: int, p: float) -> None:
    assert_equal(nx.gnp_random_graph(n, p, seed=seed))


@pytest.mark.parametrize("kind", ["digits", "float32 digits", "clusters", "copies", "a curve"])
def test_graphs_of_points_equal_networkx_and_scikit_learn(
    kind: str, rng: np.random.Generator
) -> None:
    clusters = 3 * rng.standard_normal((5, 30))[rng.integers(0, 5, 500)]
    t = np.linspace(0, 1, 450)
    Z = {
        "digits": lambda: load_digits().data[:600] + 1e-3 * rng.standard_normal((600, 64)),
        "float32 digits": lambda: load_digits().data[:400].astype(np.float32),
        "clusters": lambda: clusters + rng.standard_normal((500, 30)),
        "copies": lambda: np.repeat(rng.standard_normal((100, 5)), 2, axis=0),
        "a curve": lambda: np.stack([np.cos(t), np.sin(t), t**2], axis=1),
    }[kind]()
    graph = neighbour_graph(Z, 10)
    if kind not in ("float32 digits", "copies"):  # ties, which scikit-learn breaks as it likes
        directed = kneighbors_graph(Z, 10)
        union = directed.maximum(directed.T).tocsr()
        union.sort_indices()
        assert np.array_equal(graph.starts, union.indptr)
        assert np.array_equal(graph.neighbours, union.indices)
    assert_equal(nx.from_scipy_sparse_array(graph.adjacency()))


def test_notes_say_what_is_undefined_or_trivial() -> None:
    values, notes = graph_signatures(graph_of(nx.path_graph(5)))
    assert values["cycle_length"] is None
    assert notes == ["cycle_length: the graph is a forest and has no cycle."]
    values, notes = graph_signatures(graph_of(two_triangles()))
    assert values["eigengap"] == values["eigengap_normalized"] == 0
    assert values["cycle_length"] == 3
    assert "eigengap: 0, as the graph has 2 components" in notes[0]
    assert graph_signatures(graph_of(nx.complete_graph(4)))[1] == []


def test_a_graph_without_nodes_or_pairs_is_undefined() -> None:
    for nodes in (0, 1):
        values = graph_signatures(Graph.from_edges(nodes, []))[0]
        assert values["density"] is values["eigengap"] is values["cycle_length"] is None
        assert values["wiener_index"] == values["diameter"] == 0


def test_loops_and_repetitions_do_not_count() -> None:
    graph = Graph.from_edges(3, [(0, 1), (1, 0), (2, 2), (0, 1)])
    assert graph.edges == 1
    assert graph.degrees.tolist() == [1, 1, 0]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100), st.floats(-50, 50))
def test_invariances(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((120, 5))
    rotation = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    base = graph_signatures(neighbour_graph(Z, 6))[0]
    moved = graph_signatures(neighbour_graph(scale * Z @ rotation + shift, 6))[0]
    assert moved == base
    shuffled = graph_signatures(neighbour_graph(Z[rng.permutation(120)], 6))[0]
    # The breadth-first tree grows from the first row, so cycle length depends on their order.
    for name in set(SIGNATURES) - {"cycle_length"}:
        assert shuffled[name] == pytest.approx(base[name], rel=1e-9), name


@pytest.mark.parametrize("search", [spectrum._iterated, spectrum._factored])
def test_both_searches_find_the_eigenvalue(search: Any) -> None:
    graph = graph_of(nx.connected_watts_strogatz_graph(600, 8, 0.3, seed=2))
    L = nx.laplacian_matrix(nx.from_scipy_sparse_array(graph.adjacency())).astype(float).tocsr()
    null = np.ones(600) / np.sqrt(600)
    vector = search(L, null)
    vector = vector / np.linalg.norm(vector)
    assert vector @ (L @ vector) == pytest.approx(second(L), rel=1e-9)


@pytest.mark.parametrize("n", [400, 3000])
def test_a_long_path_has_its_known_eigenvalue(n: int) -> None:
    """λ₁ = 4 sin²(π/2n) of a path, to which iterations alone do not converge."""
    graph = graph_of(nx.path_graph(n))
    assert eigengap(graph) == pytest.approx(4 * np.sin(np.pi / (2 * n)) ** 2, rel=1e-6)
    ring = graph_of(nx.cycle_graph(n))
    assert eigengap_normalized(ring) == pytest.approx(1 - np.cos(2 * np.pi / n), rel=1e-6)


def test_an_eigenvalue_that_is_not_found_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = graph_of(nx.connected_watts_strogatz_graph(400, 4, 0.3, seed=2))
    wrong = lambda L, null: np.arange(400.0)  # noqa: E731
    monkeypatch.setattr(spectrum, "_iterated", wrong)
    monkeypatch.setattr(spectrum, "_factored", wrong)
    with pytest.raises(EigenvalueError, match="eigengap: the best residual is"):
        eigengap(graph)
    values, notes = graph_signatures(graph)
    assert values["eigengap"] is None
    assert "eigengap: the best residual" in notes[0]
    assert "eigengap_normalized: the best residual" in notes[1]
