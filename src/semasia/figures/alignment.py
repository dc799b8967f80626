"""What survives being carried from one latent space into another (Semasia, Figure 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from semasia.figures.style import PALETTE, by_shape, figure, legend_below, literal, note


def draw_alignments(frame: pl.DataFrame, pairs: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw accuracy and error over the components retained, and accuracy over paired rows.

    One column a pair. Bands are 95 % intervals over test rows; the dashed line is the
    accuracy of the same probe on the receiving model's own latents.

    Parameters
    ----------
    frame : DataFrame
        The alignment table.
    pairs : sequence of mapping
        ``a``, ``b`` and ``differ_in``, in the order of the columns.
    path : path
        SVG file to write.
    """
    methods = frame["method"].unique(maintain_order=True).to_list()
    colours = dict(zip(methods, PALETTE, strict=False))
    with figure(path, max(3.4 * len(pairs), 4), 8.2) as drawn:
        axes = drawn.subplots(3, max(len(pairs), 1), squeeze=False)
        if not pairs:
            for axis in axes.flat:
                note(axis, "no pair is configured")
        for column, pair in zip(axes.T, pairs, strict=False):
            own = frame.filter(pl.col("model_a") == pair["a"], pl.col("model_b") == pair["b"])
            swept = own.filter(pl.col("train_rows") == pl.col("train_rows").max())
            _lines(column[0], swept, "k", "accuracy", colours)
            _lines(column[1], swept, "k", "mse", colours)
            # The most that each method can do with so many rows: beyond that there is a note.
            scored = own.filter(pl.col("accuracy").is_not_null())
            most_k = pl.col("k").max().over("method", "train_rows")
            _lines(
                column[2], scored.filter(pl.col("k") == most_k), "train_rows", "accuracy", colours
            )
            differ = f"{pair['differ_in']}\n" if pair.get("differ_in") else ""
            column[0].set_title(
                literal(f"{differ}{pair['a']}\n→ {pair['b']}"), loc="left", fontsize=8
            )
            column[0].set_xlabel("components retained")
            column[1].set_xlabel("components retained")
            column[1].set_yscale("log")
            column[2].set_xlabel("paired rows fitted on, most components")
        for axis, label in zip(
            axes[:, 0], ("accuracy", "mean squared error", "accuracy"), strict=True
        ):
            axis.set_ylabel(label)
        handles = [Line2D([], [], color=colours[m], marker=".", label=m) for m in methods]
        handles.append(Line2D([], [], color="black", linestyle="--", label="own latents"))
        if frame.select(by_shape(pl.col("note")).any()).item():
            words = "hollow: decided by shape"
            handles.append(
                Line2D(
                    [],
                    [],
                    color="black",
                    marker=".",
                    markerfacecolor="white",
                    linestyle="",
                    label=words,
                )
            )
        legend_below(drawn, handles if pairs else [])


def _lines(axis: Axes, part: pl.DataFrame, x: str, y: str, colours: Mapping[str, str]) -> None:
    part = part.filter(pl.col(y).is_not_null())
    if part.is_empty():
        note(axis, "undefined: see the notes in the table")
        return
    # Several label columns: their mean, and no band, as the table has one for each.
    one_label = part["label"].n_unique() == 1
    for method, colour in colours.items():
        own = part.filter(pl.col("method") == method)
        means = own.group_by(x).agg(pl.col(y, f"{y}_low", f"{y}_high").mean()).sort(x)
        axis.plot(means[x], means[y], color=colour, marker=".", linewidth=1.2)
        shaped = own.filter(by_shape(pl.col("note"))).group_by(x).agg(pl.col(y).mean())
        if len(shaped):
            axis.plot(shaped[x], shaped[y], ".", color=colour, markerfacecolor="white", zorder=3)
        if one_label and len(means) > 1:
            axis.fill_between(
                means[x], means[f"{y}_low"], means[f"{y}_high"], color=colour, alpha=0.15, lw=0
            )
    if y == "accuracy":
        own = float(part["upper_bound"].to_numpy().mean())
        axis.axhline(own, color="black", linestyle="--", linewidth=1)
        axis.set_ylim(0, 1)
    axis.set_xscale("log")
