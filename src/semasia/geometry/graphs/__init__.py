"""Graphs of nearest neighbours, and the signatures that describe them."""

from typing import TYPE_CHECKING

from semasia.deferred import deferred

if TYPE_CHECKING:
    from semasia.geometry.graphs.cycles import cycle_length, square_clustering
    from semasia.geometry.graphs.graph import Graph, neighbour_graph
    from semasia.geometry.graphs.points import RECIPES
    from semasia.geometry.graphs.shortest_paths import distance_signatures
    from semasia.geometry.graphs.signatures import (
        SIGNATURE_DEFINITIONS,
        SIGNATURES,
        graph_signatures,
    )
    from semasia.geometry.graphs.spectrum import eigengap, eigengap_normalized
    from semasia.geometry.graphs.table import (
        COLUMNS,
        graph_analysis,
        graph_row,
        unreadable_graph_rows,
    )

__all__ = [
    "COLUMNS",
    "RECIPES",
    "SIGNATURES",
    "SIGNATURE_DEFINITIONS",
    "Graph",
    "cycle_length",
    "distance_signatures",
    "eigengap",
    "eigengap_normalized",
    "graph_analysis",
    "graph_row",
    "graph_signatures",
    "neighbour_graph",
    "square_clustering",
    "unreadable_graph_rows",
]

# Numba takes half a second to import.
__getattr__ = deferred(
    __name__,
    {
        "COLUMNS": "table",
        "RECIPES": "points",
        "SIGNATURES": "signatures",
        "SIGNATURE_DEFINITIONS": "signatures",
        "Graph": "graph",
        "cycle_length": "cycles",
        "distance_signatures": "shortest_paths",
        "eigengap": "spectrum",
        "eigengap_normalized": "spectrum",
        "graph_analysis": "table",
        "graph_row": "table",
        "graph_signatures": "signatures",
        "neighbour_graph": "graph",
        "square_clustering": "cycles",
        "unreadable_graph_rows": "table",
    },
)
