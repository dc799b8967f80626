"""Matrices over models: similarities, and beside them what carries over; bases of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from semasia.figures.style import (
    BY_SHAPE_MARK,
    BY_SHAPE_WORDS,
    NAMED_MODELS,
    by_shape,
    figure,
    literal,
    note,
)

# Measures of the similarity table that are drawn, with their parameter and heading.
SIMILARITIES = (
    ("unbiased_linear_cka", None, "linear CKA, unbiased"),
    ("nps_euclidean", "k=10", "shared neighbours, k = 10"),
    ("subspace_overlap", None, "overlap of the top 10 directions"),
)
_NUMBERED = 14


def draw_similarities(similarity: pl.DataFrame, transfer: pl.DataFrame, path: Path) -> None:
    """Draw three similarities of every two models, and beside them the accuracy carried over.

    Parameters
    ----------
    similarity, transfer : DataFrame
        The tables of these names.
    path : path
        SVG file to write.
    """
    named = (similarity["model_a"], similarity["model_b"])
    carried = (transfer["probe_model"], transfer["latents_model"])
    names = sorted({name for column in (*named, *carried) for name in column})
    side = _side(names)
    with figure(path, 4 * side + 3.2, side + 0.6) as drawn:
        axes = drawn.subplots(1, 4, squeeze=False)[0]
        for axis, (measure, parameter, title) in zip(axes, SIMILARITIES, strict=False):
            part = similarity.filter(pl.col("measure") == measure)
            if parameter is not None:
                part = part.filter(pl.col("parameter") == parameter)
            values = _matrix(part, names, "model_a", "model_b", "value")
            marked = part.filter(by_shape(pl.col("note"))).with_columns(marked=1.0)
            marks = _matrix(marked, names, "model_a", "model_b", "marked")
            _heat(
                drawn,
                axis,
                np.where(np.isnan(values), values.T, values),
                names,
                title,
                marked=~np.isnan(np.where(np.isnan(marks), marks.T, marks)),
            )
        if similarity.select(by_shape(pl.col("note")).any()).item():
            drawn.supxlabel(BY_SHAPE_WORDS, fontsize=7, x=0.01, ha="left")
        aligned = transfer.filter(pl.col("kind") != "zero_shot")
        _carried(drawn, axes[3], aligned, names, "function: accuracy carried over, aligned")


def draw_transfers(transfer: pl.DataFrame, path: Path) -> None:
    """Draw the accuracies of probes on other models' latents, as they are and after alignment.

    Parameters
    ----------
    transfer : DataFrame
        The transfer table; a model's own accuracy is on both diagonals.
    path : path
        SVG file to write.
    """
    names = sorted({*transfer["probe_model"], *transfer["latents_model"]})
    side = _side(names)
    with figure(path, 2 * side + 2.6, side + 0.6) as drawn:
        axes = drawn.subplots(1, 2, squeeze=False)[0]
        for axis, kind, title in (
            (axes[0], "zero_shot", "as they are, where widths match"),
            (axes[1], "aligned", "after alignment"),
        ):
            part = transfer.filter(pl.col("kind").is_in(["own", kind]))
            _carried(drawn, axis, part, names, title)


def draw_bases(
    bases: pl.DataFrame, energy: pl.DataFrame, pairs: Sequence[Mapping[str, Any]], path: Path
) -> None:
    """Draw the cross-correlations of two bases for each pair (Semasia, Figure 12).

    Parameters
    ----------
    bases, energy : DataFrame
        The tables ``bases`` and ``bases_energy``.
    pairs : sequence of mapping
        ``a``, ``b`` and ``differ_in``, in the order of the columns.
    path : path
        SVG file to write.
    """
    with figure(path, max(2.9 * len(pairs), 4) + 0.6, 6.4) as drawn:
        axes = drawn.subplots(2, max(len(pairs), 1), squeeze=False)
        if not pairs:
            for axis in axes.flat:
                note(axis, "no pair is configured")
        for column, pair in zip(axes.T, pairs, strict=False):
            of_pair = (pl.col("model_a") == pair["a"]) & (pl.col("model_b") == pair["b"])
            for axis, basis in zip(column, ("pca", "laplacian"), strict=True):
                part = bases.filter(of_pair, pl.col("basis") == basis)
                told = energy.filter(of_pair, pl.col("basis") == basis)
                if part.is_empty():
                    note(axis, "undefined: see the note in the table")
                    continue
                i, j = part["i"].to_numpy(), part["j"].to_numpy()
                values = np.full((i.max(), j.max()), np.nan)
                values[i - 1, j - 1] = part["correlation"].to_numpy()
                edges = (0.5, j.max() + 0.5, i.max() + 0.5, 0.5)
                shown = axis.imshow(values, cmap="viridis", vmin=0, vmax=1, extent=edges)
                axis.grid(False)
                off = told["off_diagonal_energy"][0]
                energy_text = "undefined" if off is None else f"{off:.2f}"
                axis.set_title(f"off the diagonal: {energy_text}", fontsize=8, loc="left")
                axis.set_ylabel(f"{basis}, {literal(pair['a'])}", fontsize=6)
                axis.set_xlabel(literal(pair["b"]), fontsize=6)
                drawn.colorbar(shown, ax=axis, shrink=0.6, label="|correlation|")
            differ = pair.get("differ_in")
            if differ:
                first = column[0].get_title(loc="left")
                column[0].set_title(literal(f"{differ}\n{first}"), fontsize=8, loc="left")


def _side(names: Sequence[str]) -> float:
    longest = max((len(n) for n in names), default=0)
    return min(max(0.07 * longest + 0.36 * len(names), 2.6), 12)


def _matrix(
    part: pl.DataFrame, names: Sequence[str], rows: str, columns: str, value: str
) -> np.ndarray:
    place = {name: i for i, name in enumerate(names)}
    values = np.full((len(names), len(names)), np.nan)
    found = part.filter(pl.col(value).is_not_null())
    for a, b, number in found.select(rows, columns, value).rows():
        values[place[a], place[b]] = number
    return values


def _carried(
    drawn: Figure, axis: Axes, part: pl.DataFrame, names: Sequence[str], title: str
) -> None:
    """Draw the accuracies of rows of the transfer table."""
    values = _matrix(part, names, "probe_model", "latents_model", "accuracy")
    _heat(drawn, axis, values, names, title, "magma")
    axis.set_xlabel("latents of")
    axis.set_ylabel("probe of")


def _heat(
    drawn: Figure,
    axis: Axes,
    values: np.ndarray,
    names: Sequence[str],
    title: str,
    colours: str = "viridis",
    marked: np.ndarray | None = None,
) -> None:
    axis.set_title(title, loc="left")
    if np.isnan(values).all():
        note(axis, "undefined: see the notes in the table")
        return
    shown = axis.imshow(values, cmap=colours, vmin=min(0.0, float(np.nanmin(values))), vmax=1)
    drawn.colorbar(shown, ax=axis, shrink=0.7)
    axis.grid(False)
    if len(names) <= NAMED_MODELS:
        labels = [literal(n) for n in names]
        axis.set_xticks(range(len(names)), labels, rotation=90, fontsize=7)
        axis.set_yticks(range(len(names)), labels, fontsize=7)
    else:
        axis.set_xticks([])
        axis.set_yticks([])
    if len(names) <= _NUMBERED:
        for (i, j), number in np.ndenumerate(values):
            if not np.isnan(number):
                light = "black" if number > 0.6 else "white"
                mark = BY_SHAPE_MARK if marked is not None and marked[i, j] else ""
                text = f"{number:.2f}{mark}"
                axis.text(j, i, text, ha="center", va="center", color=light, fontsize=6)
