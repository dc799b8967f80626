"""The signatures of a graph, by name."""

from __future__ import annotations

from typing import Any

from semasia.errors import EigenvalueError
from semasia.geometry.definitions import Definition
from semasia.geometry.graphs.cycles import (
    cycle_length,
    cycle_length_lexicographic,
    square_clustering,
)
from semasia.geometry.graphs.graph import Graph
from semasia.geometry.graphs.shortest_paths import distance_signatures
from semasia.geometry.graphs.spectrum import eigengap, eigengap_normalized

_G2 = "Semasia, Appendix G.2"

SIGNATURE_DEFINITIONS: dict[str, Definition] = {
    "nodes": Definition("nodes", "points of the graph", "Semasia, Appendix G.1"),
    "edges": Definition("edges", "pairs that are joined", "Semasia, Appendix G.1"),
    "components": Definition("components", "connected components", "–"),
    "cycle_length": Definition(
        "cycle length", "mean length of the fundamental cycles of a breadth-first tree", _G2
    ),
    "square_clustering": Definition(
        "square clustering", "mean share of the possible squares around a node", _G2
    ),
    "wiener_index": Definition("Wiener index", "sum of distances over connected pairs", _G2),
    "eigengap": Definition("eigengap", "second eigenvalue of the Laplacian D − A", _G2),
    "eigengap_normalized": Definition(
        "normalised eigengap",
        "second eigenvalue of the symmetric normalised Laplacian",
        "Chung (1997)",
    ),
    "diameter": Definition("diameter", "greatest distance of a connected pair", _G2),
    "density": Definition("density", "edges over pairs of nodes", "Semasia, Appendix G, Table 3"),
}
SIGNATURES = tuple(SIGNATURE_DEFINITIONS)


def graph_signatures(graph: Graph, recipe: str = "own") -> tuple[dict[str, Any], list[str]]:
    """Return the signatures of a graph, and why any of them is undefined or trivial.

    Parameters
    ----------
    graph : Graph
    recipe : str
        Under ``paper`` the cycle length is that of :func:`cycle_length_lexicographic`.

    Returns
    -------
    values : dict
        The keys of :data:`SIGNATURES`; None where a value is undefined.
    notes : list of str
        One sentence each, beginning with the signature it is about.
    """
    notes = []
    cycles = cycle_length_lexicographic if recipe == "paper" else cycle_length
    wiener, diameter = distance_signatures(graph)
    values: dict[str, Any] = {
        "nodes": graph.nodes,
        "edges": graph.edges,
        "components": graph.components,
        "cycle_length": cycles(graph),
        "square_clustering": square_clustering(graph),
        "wiener_index": wiener,
        "diameter": diameter,
        "density": graph.density,
    }
    for name, measure in (("eigengap", eigengap), ("eigengap_normalized", eigengap_normalized)):
        try:
            values[name] = measure(graph)
        except EigenvalueError as error:
            values[name] = None
            notes.append(str(error))
    if values["cycle_length"] is None:
        notes.append("cycle_length: the graph is a forest and has no cycle.")
    if graph.components > 1:
        notes.append(
            f"eigengap: 0, as the graph has {graph.components} components; wiener_index and "
            "diameter: over connected pairs."
        )
    return {name: values[name] for name in SIGNATURES}, notes
