"""Where the time of extraction went."""

from __future__ import annotations

import math
from pathlib import Path

import polars as pl

from semasia.figures.style import NAMED_MODELS, PALETTE, figure, literal

# Stages whose time rows take, after those that a job takes once.
_ROWS = ("load", "preprocess", "forward", "write")
_STAGES = ("setup", "plan", *_ROWS)


def draw_timings(frame: pl.DataFrame, path: str | Path) -> None:
    """Draw seconds per stage, stacked, one bar a model over all its splits.

    Parameters
    ----------
    frame : DataFrame
        The timings table.
    path : path
        SVG file to write.
    """
    columns = [f"seconds_{s}" for s in _STAGES]
    sums = (
        frame.with_columns(fresh=pl.col("rows") - pl.col("rows_resumed"))
        .group_by("model_name")
        .agg(pl.col(*columns, "fresh").sum())
        .with_columns(rate=pl.col("fresh") / pl.sum_horizontal(f"seconds_{s}" for s in _ROWS))
        .sort(pl.sum_horizontal(columns), "model_name", descending=[True, False])
    )
    shown = sums.head(NAMED_MODELS)
    with figure(path, 9, 0.32 * len(shown) + 1.4) as drawn:
        axis = drawn.subplots()
        left = pl.Series([0.0] * len(shown))
        for stage, column, colour in zip(_STAGES, columns, PALETTE, strict=False):
            axis.barh(range(len(shown)), shown[column], left=left, color=colour, label=stage)
            left = left + shown[column]
        for place, (total, rate) in enumerate(zip(left, shown["rate"], strict=True)):
            # Nothing was timed where every row was resumed from an earlier run.
            if rate and math.isfinite(rate):
                axis.text(total, place, f" {rate:.0f} images/s", va="center", fontsize=8)
        axis.set_yticks(range(len(shown)), [literal(n) for n in shown["model_name"]])
        axis.invert_yaxis()
        axis.set_xlim(0, (max(left.to_list(), default=0.0) or 1.0) * 1.15)
        axis.set_xlabel("seconds, all splits; images/s without setup and plan")
        threads = "–".join(map(str, frame["threads"].unique().sort()))
        devices = ", ".join(frame["device"].unique().sort())
        more = f"; the slowest {len(shown)} of {len(sums)} models" if len(sums) > len(shown) else ""
        axis.set_title(f"Extraction on {devices}, threads a job: {threads}{more}", loc="left")
        drawn.legend(loc="outside lower center", ncols=len(_STAGES))
