"""Parameters against latent width, by macro-family and by family (Semasia, Figure 6)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from semasia.figures.style import PALETTE, figure, note

_FAMILIES = 15


def draw_registry(frame: pl.DataFrame, path: str | Path) -> None:
    """Draw num_parameters against latent_dim on log–log axes, with marginal distributions.

    The upper row colours the fifteen most populated families and gathers the rest as Others; the
    lower one colours macro-families. Models whose capacity is unknown are left out and counted in
    the title.

    Parameters
    ----------
    frame : DataFrame
        A registry table.
    path : path
        SVG file to write.
    """
    known = frame.drop_nulls(["num_parameters", "latent_dim"])
    counts = known["family"].value_counts().sort(["count", "family"], descending=[True, False])
    largest = counts["family"].head(_FAMILIES).to_list()
    by_family = pl.when(pl.col("family").is_in(largest)).then("family").otherwise(pl.lit("Others"))
    rows = (
        ("family", known.with_columns(group=by_family), [*largest, "Others"]),
        ("macro-family", known.with_columns(group="macro_family"), None),
    )
    with figure(path, 12, 9) as drawn:
        left_out = len(frame) - len(known)
        more = f"; {left_out} without a known capacity are left out" if left_out else ""
        drawn.suptitle(f"{len(known):,} models{more}", x=0.01, ha="left", fontsize=9)
        if known.is_empty():
            note(drawn.subplots(), "no model of which parameters and latent width are known")
            return
        parts: Any = drawn.subfigures(2, 1)
        for part, (what, table, order) in zip(parts, rows, strict=True):
            groups = order or (
                table["group"].value_counts().sort("count", descending=True)["group"].to_list()
            )
            _row(part, table, [g for g in groups if (table["group"] == g).any()], what)


def _row(part: Figure | SubFigure, table: pl.DataFrame, groups: list[str], what: str) -> None:
    joint, parameters, widths = part.subplots(1, 3, width_ratios=[2, 1, 1])
    colours = _colours(len(groups), grey_last=groups[-1] == "Others")
    # Small groups are drawn later, on top of large ones; the rest lies beneath all of them.
    for group, colour in zip(groups, colours, strict=True):
        rows = table.filter(pl.col("group") == group)
        joint.scatter(
            rows["num_parameters"],
            rows["latent_dim"],
            s=9,
            alpha=0.7,
            linewidths=0,
            color=colour,
            zorder=1 if group == "Others" else 2,
            label=f"{group} ({len(rows):,})",
        )
    joint.set_xscale("log")
    joint.set_yscale("log")
    joint.set_xlabel("parameters")
    joint.set_ylabel("latent width")
    joint.set_title(f"by {what}", loc="left")
    part.legend(loc="outside right center", fontsize=7, markerscale=2)
    _marginal(parameters, table, "num_parameters", groups, colours, "parameters")
    _marginal(widths, table, "latent_dim", groups, colours, "latent width")


def _marginal(
    axis: Axes, table: pl.DataFrame, column: str, groups: list[str], colours: list, label: str
) -> None:
    values = [table.filter(pl.col("group") == g)[column].to_numpy().astype(float) for g in groups]
    together = np.concatenate(values)
    low, high = together.min(), together.max()
    edges = np.geomspace(low, high if high > low else low * 1.1, 31)
    axis.hist(values, bins=list(edges), stacked=True, color=colours)
    axis.set_xscale("log")
    axis.set_xlabel(label)
    axis.set_ylabel("models")


def _colours(count: int, *, grey_last: bool) -> list:
    if count <= len(PALETTE):
        colours: list = list(PALETTE[:count])
    else:
        import matplotlib as mpl

        colours = [mpl.colormaps["tab20"](i % 20) for i in range(count)]
    if grey_last:
        colours[-1] = "#c8c8c8"
    return colours
