"""Rows of the graphs table: the signatures of one shard under one recipe."""

from __future__ import annotations

from typing import Any

import numpy as np

from semasia.errors import DegenerateEmbeddingError, SemasiaError
from semasia.geometry.graphs.graph import neighbour_graph
from semasia.geometry.graphs.points import PAPER_POINTS, points_of, recipes_of
from semasia.geometry.graphs.signatures import graph_signatures
from semasia.geometry.labelled import unreadable_rows
from semasia.latents import Shard
from semasia.latents.roots import Key
from semasia.neighbours import distinct_rows
from semasia.rows import Opened, Part, Rows, ShardAnalysis

# Names and order of the table's columns, with what each holds.
COLUMNS: dict[str, type] = {
    "benchmark": str,
    "split": str,
    "model_name": str,
    "recipe": str,
    "k": int,
    "rows": int,
    "nodes": int,
    "edges": int,
    "components": int,
    "cycle_length": float,
    "square_clustering": float,
    "wiener_index": int,
    "eigengap": float,
    "eigengap_normalized": float,
    "diameter": int,
    "density": float,
    "note": str,
}


def graph_analysis(k: int, points: int | None) -> ShardAnalysis:
    """Return the analysis whose rows are :func:`graph_row` of each shard under each recipe.

    A row is a function of the shard's values, of k, of the cap, and of the recipes.
    """

    def parts(shard: Shard, fit: Opened | None) -> list[Part]:
        return [
            Part(
                [shard.identity, k, name, PAPER_POINTS if name == "paper" else points],
                lambda name=name: [graph_row(shard, name, k, points)],
            )
            for name in recipes_of(shard.provenance["benchmark"]["split"])
        ]

    return ShardAnalysis(COLUMNS, parts, unreadable_graph_rows)


def unreadable_graph_rows(key: Key, error: SemasiaError) -> Rows:
    """Return the rows of a shard that cannot be measured: nulls, and a note that says why."""
    [row] = unreadable_rows(COLUMNS, key, error)
    return [row | {"recipe": name} for name in recipes_of(key.split)]


def graph_row(shard: Shard, recipe: str, k: int, points: int | None) -> dict[str, Any]:
    """Measure the graph of one shard under one recipe.

    Parameters
    ----------
    shard : Shard
    recipe : str
        ``own`` or ``paper``.
    k : int
        Neighbours of a point; n − 1 are taken where there are not so many, and a note says so.
    points : int or None
        Most points under the recipe ``own``.

    Returns
    -------
    dict
        The keys of :data:`COLUMNS`. Undefined values are None, and ``note`` says why.

    Raises
    ------
    ShardError
        If the shard is damaged or a value is not finite.
    """
    known = shard.provenance["benchmark"]
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row.update(
        benchmark=known["name"],
        split=known["split"],
        model_name=shard.model_name,
        recipe=recipe,
        rows=shard.rows,
    )
    try:
        values, notes = measured(points_of(shard, recipe, points), k, recipe)
    except DegenerateEmbeddingError as error:
        values, notes = {}, [f"graph: {error}"]
    row.update(values)
    row["note"] = " ".join(notes) or None
    return row


def measured(points: np.ndarray, k: int, recipe: str = "own") -> tuple[dict[str, Any], list[str]]:
    """Return k and the signatures of the graph of some points, and notes on them.

    Raises
    ------
    DegenerateEmbeddingError
        If there are fewer than two points, or all of them coincide.
    """
    n = len(points)
    if n < 2:
        raise DegenerateEmbeddingError(f"{n} points; neighbours are defined from two on.")
    distinct = len(distinct_rows(points)[0])
    if distinct == 1:
        raise DegenerateEmbeddingError(f"all {n} points coincide: every signature is undefined.")
    notes = []
    if k >= n:
        notes.append(f"graph: k is {n - 1}, not {k}, as there are {n} points.")
    if distinct < n:
        notes.append(
            f"graph: {n - distinct} of {n} points repeat another; equal distances go to the "
            "smaller id."
        )
    values, more = graph_signatures(neighbour_graph(points, min(k, n - 1)), recipe)
    return {"k": min(k, n - 1), **values}, notes + more
