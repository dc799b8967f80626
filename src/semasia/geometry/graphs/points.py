"""Which points of a shard a graph is built on, by recipe."""

from __future__ import annotations

import numpy as np

from semasia.errors import DegenerateEmbeddingError
from semasia.inputs.selection import select_rows
from semasia.latents import Shard

# `own`: the split's rows as they are. `paper`: standardised columns, of the train split alone, in
# the order that they are drawn in; as the published analysis of Semasia does it.
RECIPES = ("own", "paper")
PAPER_POINTS = 10_000
PAPER_SPLIT = "train"
_PAPER_SEED = 42


def recipes_of(split: str) -> tuple[str, ...]:
    """Return the recipes that a split has a row for."""
    return RECIPES if split == PAPER_SPLIT else RECIPES[:1]


def points_of(shard: Shard, recipe: str, cap: int | None) -> np.ndarray:
    """Return the points of a shard's graph.

    Where there are more rows than the cap, those with the least hashes of their ids are taken, in
    the order of ids, as in a capped split: the same inputs for every model. Under the recipe
    ``paper`` they are drawn with NumPy's generator and the seed 42, and stay in the order drawn.

    Parameters
    ----------
    shard : Shard
    recipe : str
        One of :data:`RECIPES`.
    cap : int or None
        Most points; None takes all. The recipe ``paper`` has its own, 10,000.

    Returns
    -------
    (min(n, cap), d) array
        float32; float64 where columns are standardised.
    """
    drawn = np.arange(shard.rows)
    if recipe != "paper":
        drawn = select_rows(shard.ids, None, shard.rows if cap is None else cap)
    elif shard.rows > PAPER_POINTS:
        rng = np.random.default_rng(_PAPER_SEED)
        drawn = rng.choice(shard.rows, PAPER_POINTS, replace=False)
    order = np.argsort(drawn)
    chosen = drawn[order]
    points = np.empty((len(chosen), shard.width), np.float32)
    start = filled = 0
    for block in shard.blocks():
        end = start + len(block)
        inside = chosen[filled : np.searchsorted(chosen, end)] - start
        points[filled : filled + len(inside)] = block[inside]
        start, filled = end, filled + len(inside)
    if recipe != "paper":
        return points
    found = np.empty_like(points)
    found[order] = points
    return standardized(found)


def standardized(points: np.ndarray) -> np.ndarray:
    """Return points with columns of mean 0 and variance 1 (divided by n), in float64.

    A constant column becomes 0.

    Raises
    ------
    DegenerateEmbeddingError
        If there are no points.
    """
    if not len(points):
        raise DegenerateEmbeddingError("0 rows; columns are standardised from one on.")
    mean = points.mean(axis=0, dtype=np.float64)
    constant = (points == points[:1]).all(axis=0)
    centred = points - mean
    centred[:, constant] = 0
    spread = np.sqrt(np.einsum("ij,ij->j", centred, centred) / len(points))
    centred /= np.where(constant, 1, spread)
    return centred
