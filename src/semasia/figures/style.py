"""The look that all figures share."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import polars as pl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from semasia.files import whole_file

# Okabe & Ito's palette: told apart by most people with a colour vision deficiency.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
UNTRAINED = "#8c8c8c"
# Points whose label is absent: lighter than any class, and than untrained controls.
UNLABELLED = "#d0d0d0"

# Above this many models, names no longer fit and distributions are drawn in place of dots.
NAMED_MODELS = 60

_STYLE: Any = {
    "font.size": 9,
    "font.family": "DejaVu Sans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    # The same figure gives the same bytes.
    "svg.hashsalt": "semasia",
}


@contextmanager
def figure(path: str | Path, width: float, height: float) -> Iterator[Figure]:
    """Yield a figure of the given size in inches, saved to ``path`` as SVG when the block ends."""
    with mpl.rc_context(_STYLE):
        drawn = plt.figure(figsize=(width, height), layout="constrained")
        try:
            yield drawn
            with whole_file(Path(path)) as temporary:
                drawn.savefig(temporary, format="svg", metadata={"Date": None})
        finally:
            plt.close(drawn)


def display_name(model: str, untrained: bool) -> str:
    """Return a model's name, with the word `untrained` in it where its weights are random."""
    return f"{model} (untrained)" if untrained and "untrained" not in model else model


def literal(text: str) -> str:
    """Return text that matplotlib shows as it stands.

    A pair of dollar signs would start a formula; a leading underscore keeps a name out of legends.
    """
    text = text.replace("$", r"\$")
    return f"\u200b{text}" if text.startswith("_") else text


def legend_below(drawn: Figure, handles: Sequence[Artist], **options: Any) -> None:
    """Put a legend under all panels, in as many columns as fit, and make room for it.

    Parameters
    ----------
    drawn : Figure
        Its height grows by the height of the legend.
    handles : sequence of Artist
        What to list, by their labels. Without any there is no legend.
    **options
        For ``Figure.legend``.
    """
    if not handles:
        return
    width, height = drawn.get_size_inches()
    # At font size 9 a character takes about 0.085 inches; a marker and its margins, about 0.6.
    entry = 0.085 * max(len(str(h.get_label())) for h in handles) + 0.6
    columns = max(1, min(len(handles), 10, int(width / entry)))
    drawn.set_size_inches(width, height + 0.2 * -(-len(handles) // columns) + 0.1)
    drawn.legend(handles=list(handles), loc="outside lower center", ncols=columns, **options)


def note(axis: Axes, text: str) -> None:
    """Write text, in lines of at most 60 characters, where an axis has nothing to draw."""
    lines = "\n".join(textwrap.wrap(text, 60))
    axis.text(0.5, 0.5, lines, ha="center", va="center", transform=axis.transAxes)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(False)


def rows_text(rows: int | None, source_rows: int | None) -> str:
    """Return how many rows were used, and of how many where the split was capped."""
    if rows is None or source_rows is None:
        return "no rows"
    return f"{rows:,} rows" if rows == source_rows else f"{rows:,} of {source_rows:,} rows"


# What marks a value that chance or shape explains, and the words for it below a figure.
BY_SHAPE_MARK = "°"
BY_SHAPE_WORDS = "° half or more of it is what unrelated spaces of these shapes reach, or shape"


def by_shape(note: pl.Expr) -> pl.Expr:
    """Return whether a row's note says that chance or shape explains its value."""
    return note.fill_null("").str.contains("unrelated spaces|decided by shape")
