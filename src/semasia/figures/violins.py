"""Graph signatures by macro-family: violins and points (Semasia, Figure 17)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from semasia.figures.style import PALETTE, figure, literal, note
from semasia.registry.entries import MACRO_FAMILIES

# Semasia, G.1: the five signatures of the figure.
SIGNATURES = {
    "cycle_length": "cycle length",
    "square_clustering": "square clustering",
    "wiener_index": "Wiener index",
    "eigengap": "Laplacian eigengap",
    "diameter": "diameter",
}
_FAMILIES = tuple(f for f in MACRO_FAMILIES if f != "Other")
# Fewer points than this say nothing about a density; they are drawn as points alone.
_LEAST_FOR_A_VIOLIN = 10


def draw_violins(graphs: pl.DataFrame, registry: pl.DataFrame, path: str | Path) -> None:
    """Draw the five signatures across the five macro-families, a row each benchmark, split, recipe.

    Every model is a point; a family of at least ten models that differ also has a violin with its
    median. The macro-family `Other` is left out, as in the paper, and counted in the title.

    Parameters
    ----------
    graphs : DataFrame
        The graph signatures.
    registry : DataFrame
        With ``model_name``, ``macro_family``, ``untrained``; untrained models are left out.
    path : path
        SVG file to write.
    """
    trained = registry.filter(~pl.col("untrained")).select("model_name", "macro_family")
    known = graphs.join(trained, on="model_name", how="inner")
    others = known.filter(pl.col("macro_family") == "Other")["model_name"].n_unique()
    series = known.select("benchmark", "split", "recipe").unique().sort(pl.all()).rows()
    with figure(path, 13, 2.6 * max(len(series), 1) + 0.4) as drawn:
        axes = drawn.subplots(max(len(series), 1), len(SIGNATURES), squeeze=False, sharey="row")
        if not series:
            for axis in axes.flat:
                note(axis, "no graph of a trained model")
        for row, (benchmark, split, recipe) in zip(axes, series, strict=False):
            part = known.filter(benchmark=benchmark, split=split, recipe=recipe)
            if recipe == "paper":
                # Its authors' Laplacian.
                part = part.with_columns(eigengap="eigengap_normalized")
            for axis, signature in zip(row, SIGNATURES, strict=True):
                _panel(axis, part, signature)
            row[0].set_ylabel(literal(f"{benchmark}/{split}, {recipe}"))
        for axis, label in zip(axes[0], SIGNATURES.values(), strict=True):
            axis.set_title(label, loc="left")
        if others:
            drawn.suptitle(
                f"{others} models of macro-family Other are left out", x=0.01, ha="left", fontsize=9
            )


def _panel(axis: Axes, part: pl.DataFrame, signature: str) -> None:
    rng = np.random.default_rng(0)
    labels = []
    for place, family in enumerate(_FAMILIES):
        values = part.filter(pl.col("macro_family") == family)[signature].drop_nulls()
        drawable = values.cast(pl.Float64).to_numpy()
        drawable = drawable[np.isfinite(drawable)]
        labels.append(f"{family} ({len(drawable)})")
        colour = PALETTE[place]
        if len(drawable) >= _LEAST_FOR_A_VIOLIN and np.ptp(drawable) > 0:
            shape = axis.violinplot(
                drawable,
                positions=[place],
                orientation="horizontal",
                widths=0.85,
                showextrema=False,
            )
            for body in shape["bodies"]:  # type: ignore[union-attr]
                body.set_facecolor(colour)
                body.set_alpha(0.35)
            axis.plot([np.median(drawable)], [place], "|", color="black", markersize=12, zorder=4)
        shift = rng.uniform(-0.12, 0.12, len(drawable))
        axis.plot(drawable, place + shift, ".", color=colour, markersize=3, alpha=0.7, zorder=3)
    axis.set_yticks(range(len(_FAMILIES)), labels)
    axis.set_ylim(len(_FAMILIES) - 0.4, -0.6)
    axis.locator_params(axis="x", nbins=4)
    axis.ticklabel_format(axis="x", scilimits=(-3, 4))
