"""Figures of the geometry table: metrics per model, and probe accuracies with their intervals."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from semasia.figures.style import (
    BY_SHAPE_MARK,
    NAMED_MODELS,
    PALETTE,
    UNTRAINED,
    display_name,
    figure,
    legend_below,
    literal,
    note,
    rows_text,
)
from semasia.geometry import METRIC_DEFINITIONS


def draw_metrics(frame: pl.DataFrame, path: str | Path) -> None:
    """Draw every metric of the table, one panel each, models side by side.

    Parameters
    ----------
    frame : DataFrame
        The geometry table.
    path : path
        SVG file to write.
    """
    models = _models(frame)
    series = list(frame.select("benchmark", "split").unique().sort("benchmark", "split").rows())
    named = len(models) <= NAMED_MODELS
    columns, rows = 3, -(-len(METRIC_DEFINITIONS) // 3)
    panel = 0.22 * len(models) + 0.75 if named else max(1.9, 0.42 * len(series) + 0.75)
    with figure(path, 11, panel * rows + 0.3) as drawn:
        axes = drawn.subplots(rows, columns, squeeze=False, sharey=True)
        for axis, (metric, known) in zip(axes.flat, METRIC_DEFINITIONS.items(), strict=False):
            # As the table's note has it, such as "isotropy_spectral: 0, as …".
            told = pl.col("note").fill_null("").str.contains(rf"(^| ){metric}: 0, as ")
            mark = f"{BY_SHAPE_MARK} 0 by shape" if frame.select(told.any()).item() else ""
            axis.set_title(f"{known.label} {mark}".rstrip(), loc="left")
            if frame.is_empty():
                note(axis, "the table has no rows")
                continue
            for index, key in enumerate(series):
                part = frame.filter(pl.col("benchmark") == key[0], pl.col("split") == key[1])
                values = _drawable(part, metric)
                if named:
                    _dots(axis, values, metric, models, index)
                else:
                    _box(axis, values, metric, index)
            if named:
                axis.set_yticks(range(len(models)), [literal(display_name(*m)) for m in models])
            else:
                axis.set_yticks(
                    range(len(series)), [_series_text(frame, *s, between="\n") for s in series]
                )
            axis.set_ylim((len(models) if named else len(series)) - 0.5, -0.5)
            axis.locator_params(axis="x", nbins=4)
            axis.ticklabel_format(axis="x", scilimits=(-3, 4))
        for axis in list(axes.flat)[len(METRIC_DEFINITIONS) :]:
            axis.set_axis_off()
        legend_below(drawn, _legend(frame, series if named else [], models))


def series_style(index: int) -> tuple[str, str]:
    """Return marker and colour of a series, distinct for the first 64 indices."""
    size = len(PALETTE)
    return _MARKERS[(index // size + index) % len(_MARKERS)], PALETTE[index % size]


def draw_probes(frame: pl.DataFrame, path: str | Path) -> None:
    """Draw probe accuracies with 95% intervals, best model first, one panel a benchmark.

    Parameters
    ----------
    frame : DataFrame
        The geometry table.
    path : path
        SVG file to write.
    """
    scored = _drawable(frame, "probe_accuracy")
    benchmarks = scored["benchmark"].unique().sort().to_list()
    largest = max((len(scored.filter(pl.col("benchmark") == b)) for b in benchmarks), default=1)
    height = 0.3 * min(largest, NAMED_MODELS) + 1.3
    with figure(path, 8, height * max(len(benchmarks), 1)) as drawn:
        axes = drawn.subplots(max(len(benchmarks), 1), 1, squeeze=False)[:, 0]
        if not benchmarks:
            note(axes[0], "no split of this collection is scored by a probe")
            axes[0].set_axis_off()
        for axis, benchmark in zip(axes, benchmarks, strict=False):
            _probe_panel(axis, scored.filter(pl.col("benchmark") == benchmark))


# All of them look hollow when they are small and not filled; a star does not.
_MARKERS = ("o", "s", "D", "^", "v", "P", "X", "<")
# Matplotlib's axes overflow near the largest float64.
_LARGEST = 1e300


def _drawable(part: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return the rows whose value is finite and can be placed on an axis."""
    value = pl.col(column).cast(pl.Float64)
    return part.filter(value.is_finite() & (value.abs() <= _LARGEST))


def _dots(
    axis: Axes, values: pl.DataFrame, metric: str, models: list[tuple[str, bool]], index: int
) -> None:
    places = {name: i for i, (name, _) in enumerate(models)}
    marker, colour = series_style(index)
    # A control keeps the colour of its series: with many series, its marker alone is not unique.
    for untrained, face in ((False, colour), (True, "white")):
        group = values.filter(pl.col("untrained") == untrained)
        axis.plot(
            group[metric].to_numpy(),
            [places[name] for name in group["model_name"]],
            marker,
            markersize=5,
            color=colour,
            markerfacecolor=face,
        )


def _box(axis: Axes, values: pl.DataFrame, metric: str, index: int) -> None:
    """Draw the distribution over trained models, and each untrained control as a point."""
    trained = values.filter(~pl.col("untrained"))[metric].to_numpy()
    controls = values.filter("untrained")[metric].to_numpy()
    if len(trained):
        axis.boxplot(
            trained,
            positions=[index],
            orientation="horizontal",
            widths=0.6,
            manage_ticks=False,
            flierprops={"marker": ".", "markersize": 3},
            medianprops={"color": PALETTE[1]},
        )
    axis.plot(
        controls,
        [index] * len(controls),
        "o",
        markersize=4,
        color=UNTRAINED,
        markerfacecolor="white",
        zorder=3,
    )


def _legend(
    frame: pl.DataFrame, series: list[tuple[str, str]], models: list[tuple[str, bool]]
) -> list[Line2D]:
    handles = []
    for index, key in enumerate(series):
        marker, colour = series_style(index)
        text = _series_text(frame, *key, between=", ")
        handles.append(Line2D([], [], marker=marker, color=colour, linestyle="", label=text))
    if any(untrained for _, untrained in models):
        handles.append(
            Line2D(
                [],
                [],
                marker="o",
                markerfacecolor="white",
                color=UNTRAINED,
                linestyle="",
                label=f"{'' if series else 'box: trained models; '}hollow: untrained control",
            )
        )
    return handles


def _probe_panel(axis: Axes, part: pl.DataFrame) -> None:
    part = part.sort("probe_accuracy", "model_name", descending=[True, False])
    first = part.row(0, named=True)
    ends = ("probe_accuracy_low", "probe_accuracy_high")
    bounded = _drawable(_drawable(part, ends[0]), ends[1])
    intervals = {name: between for name, *between in bounded.select("model_name", *ends).rows()}
    for place, row in enumerate(part.iter_rows(named=True)):
        colour = UNTRAINED if row["untrained"] else PALETTE[0]
        face = "white" if row["untrained"] else colour
        if row["model_name"] in intervals:
            axis.plot(
                intervals[row["model_name"]],
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
        names = [literal(display_name(*r)) for r in part.select("model_name", "untrained").rows()]
        axis.set_yticks(range(len(part)), names)
    else:
        axis.set_ylabel("rank")
    axis.set_ylim(len(part) - 0.4, -0.8)
    lowest = [between[0] for between in intervals.values()]
    low = min([*lowest, *part["probe_accuracy"]]) if lowest else 0.0
    axis.set_xlim(min(max(low - 0.05, 0.0), 0.95), 1.0)
    interval = ", with 95 % interval over test rows" if intervals else ""
    axis.set_xlabel(f"accuracy{interval}")
    fitted = part["probe_fit_rows"].drop_nulls().unique().sort().to_list()
    axis.set_title(
        f"{literal(first['benchmark'])}/{literal(first['split'])}: least-squares probe fitted on "
        f"{'–'.join(f'{f:,}' for f in (fitted[:1] + fitted[1:][-1:]))} rows of "
        f"{literal(str(first['probe_fit_split']))},\nscored on "
        f"{rows_text(first['rows'], first['source_rows'])}",
        loc="left",
    )


def _models(frame: pl.DataFrame) -> list[tuple[str, bool]]:
    """Return (name, untrained) of every model, controls last."""
    # Latents that cannot be used do not say whether they are a control's; others of the model may.
    unique = frame.group_by("model_name").agg(pl.col("untrained").max().fill_null(False))
    return unique.sort("untrained", "model_name").rows()


def _series_text(frame: pl.DataFrame, benchmark: str, split: str, *, between: str) -> str:
    part = frame.filter(pl.col("benchmark") == benchmark, pl.col("split") == split)
    shown = rows_text(*part.select("rows", "source_rows").sort("rows", nulls_last=True).row(0))
    return f"{literal(benchmark + '/' + split)}{between}{shown}"
