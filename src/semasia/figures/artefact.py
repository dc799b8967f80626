"""Figure of the probe artefact: weak against strong probe on identical latents."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from semasia.figures.style import (
    NAMED_MODELS,
    PALETTE,
    display_name,
    figure,
    legend_below,
    literal,
    note,
)

_SIDES = (("weak", PALETTE[1]), ("strong", PALETTE[0]))


def draw_artefact(frame: pl.DataFrame, path: str | Path) -> None:
    """Draw both accuracies of each model with 95 % intervals, largest swing first.

    Parameters
    ----------
    frame : DataFrame
        The table of the probe artefact.
    path : path
        SVG file to write.
    """
    benchmarks = frame["benchmark"].unique().sort().to_list()
    parts = [frame.filter(pl.col("benchmark") == b) for b in benchmarks]
    largest = max((min(len(p), NAMED_MODELS) for p in parts), default=1)
    with figure(path, 8, (0.34 * largest + 1.6) * max(len(parts), 1)) as drawn:
        axes = drawn.subplots(max(len(parts), 1), 1, squeeze=False)[:, 0]
        if not parts:
            note(axes[0], "no split of this collection has a weak and a strong probe")
            axes[0].set_axis_off()
        for axis, part in zip(axes, parts, strict=False):
            _panel(axis, part)
        handles = [
            Line2D([], [], marker="o", color=colour, label=f"{side} probe")
            for side, colour in _SIDES
        ]
        legend_below(drawn, handles if parts else [])


def _panel(axis: Axes, part: pl.DataFrame) -> None:
    part = part.sort("swing_points", "model_name", descending=[True, False])
    shown = part.head(NAMED_MODELS)
    for place, row in enumerate(shown.iter_rows(named=True)):
        ends = [row["weak_accuracy"], row["strong_accuracy"]]
        axis.plot(ends, [place, place], color="#c8c8c8", linewidth=1, zorder=1)
        for offset, (side, colour) in zip((-0.13, 0.13), _SIDES, strict=True):
            interval = [row[f"{side}_low"], row[f"{side}_high"]]
            axis.plot(interval, [place + offset] * 2, color=colour, linewidth=1.5, zorder=2)
            axis.plot(
                row[f"{side}_accuracy"],
                place + offset,
                "o",
                color=colour,
                markerfacecolor="white" if row["untrained"] else colour,
                markersize=5,
                zorder=3,
            )
        axis.annotate(
            f"{row['swing_points']:+.1f} [{row['swing_low']:+.1f}, {row['swing_high']:+.1f}]",
            (1.01, place),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8,
        )
    names = [literal(display_name(*r)) for r in shown.select("model_name", "untrained").rows()]
    axis.set_yticks(range(len(shown)), names)
    axis.set_ylim(len(shown) - 0.5, -0.5)
    axis.set_xlabel("accuracy, with 95 % interval over test rows; hollow: untrained")
    first = shown.row(0, named=True)
    more = f", the {len(shown)} largest of {len(part)}" if len(part) > len(shown) else ""
    axis.set_title(
        f"{literal(first['benchmark'])}/{literal(first['split'])}, {first['test_rows']:,} rows"
        f"{more}\n"
        f"weak: {first['weak_fit_rows']:,} rows, C = 1; strong: {first['strong_fit_rows']:,} rows, "
        "C chosen\nright: swing in points",
        loc="left",
    )
