"""What each condition does to each metric: a forest plot (Semasia, Figure 5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from semasia.figures.style import PALETTE, figure, legend_below
from semasia.geometry import METRIC_DEFINITIONS
from semasia.statistics.conditions import CONDITIONS, LABELS
from semasia.statistics.regression import LEVEL

# Beside each other, from above: the paper's errors, then those clustered by model and by network.
_KINDS = (
    ("hc3", "HC3, rows independent (as in the paper)", "#8c8c8c", -0.25),
    ("by_model", "clustered by model", PALETTE[0], 0.0),
    ("by_network", "clustered by network", PALETTE[1], 0.25),
)
_SHOWN_FROM = 4.0


def draw_forest(table: pl.DataFrame, path: str | Path, *, variant: str = "strict") -> None:
    """Draw the pooled effects with 95 % intervals of three kinds, one panel a condition.

    A mark is filled where the effect survives false-discovery control under both clusterings, and
    hollow elsewhere. A condition without pairs says so in its panel.

    Parameters
    ----------
    table : DataFrame
        The table of regressions.
    path : path
        SVG file to write.
    variant : str
        ``strict`` or ``paper``.
    """
    effects = table.filter(
        pl.col("variant") == variant,
        pl.col("specification") == "pooled",
        pl.col("term") == "treatment",
    )
    metrics = list(METRIC_DEFINITIONS)
    with figure(path, 13, 7) as drawn:
        axes: Any = drawn.subplots(1, len(CONDITIONS), sharey=True)
        for axis, condition in zip(axes, CONDITIONS, strict=True):
            part = effects.filter(pl.col("condition") == condition)
            _panel(axis, part, metrics, condition)
        axes[0].set_yticks(range(len(metrics)), [METRIC_DEFINITIONS[m].label for m in metrics])
        axes[0].set_ylim(len(metrics) - 0.4, -0.6)
        drawn.suptitle(
            f"Effect of the treatment in standard deviations of the controls; pairs of the "
            f"“{variant}” rules",
            x=0.01,
            ha="left",
            fontsize=9,
        )
        legend_below(drawn, _legend())


def _panel(axis: Axes, part: pl.DataFrame, metrics: list[str], condition: str) -> None:
    known = part.filter(pl.col("estimate").is_not_null())
    if known.is_empty():
        axis.set_title(LABELS[condition], loc="left")
        told = part["note"].drop_nulls().unique().sort().to_list()
        reason = told[0] if told else "no pair of this condition among these models"
        axis.text(
            0.5,
            0.5,
            _wrapped(reason),
            ha="center",
            va="center",
            transform=axis.transAxes,
            fontsize=8,
        )
        axis.set_xticks([])
        axis.grid(False)
        return
    sizes = known.row(0, named=True)
    axis.set_title(
        f"{LABELS[condition]}\n{sizes['n_pairs']:,} pairs, {sizes['n_models']:,} models", loc="left"
    )
    axis.axvline(0, color="#404040", linewidth=0.8, zorder=1)
    for row in known.iter_rows(named=True):
        place = metrics.index(row["metric"])
        for kind, _, colour, shift in _KINDS:
            if row[f"low_{kind}"] is not None:
                ends = [row[f"low_{kind}"], row[f"high_{kind}"]]
                axis.plot(ends, [place + shift] * 2, color=colour, linewidth=1.6, zorder=2)
            face = colour if kind != "hc3" and row["survives"] else "white"
            axis.plot(
                row["estimate"],
                place + shift,
                "o",
                color=colour,
                markerfacecolor=face,
                markersize=4,
                zorder=3,
            )
    low, high = axis.get_xlim()
    axis.set_xlim(max(low, -_limit(known)), min(high, _limit(known)))
    axis.locator_params(axis="x", nbins=5)
    axis.set_xlabel("σ of controls")


def _limit(known: pl.DataFrame) -> float:
    """Return where the axis ends: one interval of few clusters must not flatten all others."""
    largest = float(known["estimate"].abs().max() or 0.0)  # type: ignore[arg-type]
    return max(_SHOWN_FROM, 1.5 * largest) if np.isfinite(largest) else _SHOWN_FROM


def _legend() -> list[Line2D]:
    kinds = [
        Line2D([], [], color=colour, marker="o", markerfacecolor="white", markersize=4, label=label)
        for _, label, colour, _ in _KINDS
    ]
    filled = Line2D(
        [],
        [],
        color="#404040",
        marker="o",
        linestyle="none",
        markersize=4,
        label=f"filled: q ≤ {LEVEL} (Benjamini–Hochberg) under both clusterings",
    )
    return [*kinds, filled]


def _wrapped(text: str) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, 24))
