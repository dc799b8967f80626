"""Figures of the geometry table: metrics per model, and probe accuracies with their intervals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from semasia.figures.style import (
    NAMED_MODELS,
    PALETTE,
    UNTRAINED,
    display_name,
    figure,
    rows_text,
)
from semasia.geometry import METRIC_DEFINITIONS


def draw_metrics(frame: pl.DataFrame, path: str | Path) -> None:
    """Draw all fourteen metrics, one panel each, models side by side.

    Parameters
    ----------
    frame : DataFrame
        The geometry table.
    path : path
        SVG file to write.
    """
    models = _models(frame)
    named = len(models) <= NAMED_MODELS
    columns, rows = 3, -(-len(METRIC_DEFINITIONS) // 3)
    panel = 0.22 * len(models) + 0.75 if named else 1.9
    series = list(frame.select("benchmark", "split").unique().sort("benchmark", "split").rows())
    with figure(path, 11, panel * rows + 0.5) as drawn:
        axes = drawn.subplots(rows, columns, squeeze=False, sharey=named)
        for axis, (metric, known) in zip(axes.flat, METRIC_DEFINITIONS.items(), strict=False):
            axis.set_title(known.label, loc="left")
            for index, key in enumerate(series):
                part = frame.filter(pl.col("benchmark") == key[0], pl.col("split") == key[1])
                values = part.select("model_name", "untrained", metric).drop_nulls(metric)
                if named:
                    _dots(axis, values, metric, models, index)
                elif len(values):
                    axis.boxplot(
                        values[metric].to_numpy(),
                        positions=[index],
                        orientation="horizontal",
                        widths=0.6,
                        flierprops={"markersize": 2},
                    )
            if named:
                axis.set_yticks(range(len(models)), [display_name(*m) for m in models])
                axis.set_ylim(len(models) - 0.5, -0.5)
            else:
                axis.set_yticks(range(len(series)), [f"{b}/{s}" for b, s in series])
            axis.locator_params(axis="x", nbins=4)
            axis.ticklabel_format(axis="x", scilimits=(-3, 4))
        for axis in list(axes.flat)[len(METRIC_DEFINITIONS) :]:
            axis.set_axis_off()
        if named:
            handles = [
                Line2D(
                    [],
                    [],
                    marker=_MARKERS[i % 8],
                    color=PALETTE[i % 8],
                    linestyle="",
                    label=f"{b}/{s}, {_rows(frame, b, s)}",
                )
                for i, (b, s) in enumerate(series)
            ]
            handles.append(
                Line2D(
                    [],
                    [],
                    marker="o",
                    markerfacecolor="white",
                    color=UNTRAINED,
                    linestyle="",
                    label="hollow: untrained control",
                )
            )
            list(axes.flat)[-1].legend(handles=handles, loc="center left")


def draw_probes(frame: pl.DataFrame, path: str | Path) -> None:
    """Draw probe accuracies with 95% intervals, best model first, one panel a benchmark.

    Parameters
    ----------
    frame : DataFrame
        The geometry table.
    path : path
        SVG file to write.
    """
    scored = frame.drop_nulls("probe_accuracy")
    benchmarks = scored["benchmark"].unique().sort().to_list()
    largest = max((len(scored.filter(pl.col("benchmark") == b)) for b in benchmarks), default=1)
    height = 0.3 * min(largest, NAMED_MODELS) + 1.3
    with figure(path, 8, height * max(len(benchmarks), 1)) as drawn:
        axes = drawn.subplots(max(len(benchmarks), 1), 1, squeeze=False)[:, 0]
        if not benchmarks:
            axes[0].text(0.5, 0.5, "no split of this collection is scored by a probe", ha="center")
            axes[0].set_axis_off()
        for axis, benchmark in zip(axes, benchmarks, strict=False):
            _probe_panel(axis, scored.filter(pl.col("benchmark") == benchmark))


_MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")


def _dots(
    axis: Axes, values: pl.DataFrame, metric: str, models: list[tuple[str, bool]], index: int
) -> None:
    places = {name: i for i, (name, _) in enumerate(models)}
    for name, untrained, value in values.rows():
        axis.plot(
            value,
            places[name],
            _MARKERS[index % 8],
            markersize=5,
            color=UNTRAINED if untrained else PALETTE[index % 8],
            markerfacecolor="white" if untrained else PALETTE[index % 8],
        )


def _probe_panel(axis: Axes, part: pl.DataFrame) -> None:
    part = part.sort("probe_accuracy", descending=True)
    first = part.row(0, named=True)
    for place, row in enumerate(part.iter_rows(named=True)):
        colour = UNTRAINED if row["untrained"] else PALETTE[0]
        face = "white" if row["untrained"] else colour
        if row["probe_accuracy_low"] is not None:
            axis.plot(
                [row["probe_accuracy_low"], row["probe_accuracy_high"]],
                [place, place],
                color=colour,
                linewidth=1.5,
                zorder=2,
            )
        axis.plot(
            row["probe_accuracy"],
            place,
            "o",
            color=colour,
            markerfacecolor=face,
            markersize=6,
            zorder=3,
        )
        if len(part) <= NAMED_MODELS:
            axis.annotate(
                f"{row['probe_accuracy']:.3f}",
                (row["probe_accuracy"], place),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=7,
            )
    if len(part) <= NAMED_MODELS:
        names = [display_name(*r) for r in part.select("model_name", "untrained").rows()]
        axis.set_yticks(range(len(part)), names)
    else:
        axis.set_ylabel("rank")
    axis.set_ylim(len(part) - 0.4, -0.8)
    low = (
        float(np.nanmin(part["probe_accuracy_low"].fill_null(np.nan).to_numpy().astype(float)))
        if part["probe_accuracy_low"].is_not_null().any()
        else 0.0
    )
    axis.set_xlim(max(0.0, low - 0.05), 1.0)
    axis.set_xlabel("accuracy, with bootstrap 95 % interval over test rows")
    fitted = part["probe_fit_rows"].unique().sort().to_list()
    axis.set_title(
        f"{first['benchmark']}/{first['split']}: least-squares probe fitted on "
        f"{'–'.join(f'{f:,}' for f in (fitted[:1] + fitted[1:][-1:]))} rows of "
        f"{first['probe_fit_split']},\nscored on "
        f"{rows_text(first['rows'], first['source_rows'])}",
        loc="left",
    )


def _models(frame: pl.DataFrame) -> list[tuple[str, bool]]:
    """Return (name, untrained) of every model, controls last."""
    unique = frame.select("model_name", "untrained").unique()
    return [(n, bool(u)) for n, u in unique.sort("untrained", "model_name").rows()]


def _rows(frame: pl.DataFrame, benchmark: str, split: str) -> str:
    part = frame.filter(pl.col("benchmark") == benchmark, pl.col("split") == split)
    return rows_text(*part.select("rows", "source_rows").row(0))
