"""The probes table as a page."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from semasia.figures.pages import Column, Row, write_page

_HINTS = {
    "fit_rows": "rows that the probe was fitted on",
    "regularisation": "as used; C as scikit-learn's, for losses summed over rows",
    "accuracy": "share of test rows classified right, mean over label columns; ± half the "
    "95 % interval over test rows",
    "balanced_accuracy": "recall, mean over classes",
    "majority_accuracy": "always predicting the most frequent class of the fit split",
    "over_weak": "accuracy gained over the weak probe on the same latents and test rows",
}
_SHOWN = (
    "benchmark",
    "split",
    "model_name",
    "probe",
    "accuracy",
    "balanced_accuracy",
    "precision",
    "f1",
    "majority_accuracy",
    "over_weak",
    "fit_rows",
    "test_rows",
    "label_columns",
    "classes",
    "regularisation",
    "chosen_by",
    "seed",
    "note",
)


def write_probes_page(frame: pl.DataFrame, path: str | Path, *, title: str) -> None:
    """Write the probes table as a page.

    Parameters
    ----------
    frame : DataFrame
        The probes table.
    path : path
        HTML file to write.
    title : str
        Name of the collection.
    """
    columns = [
        Column(
            name.replace("_", " "),
            lambda r, c=name: r[c],
            _HINTS.get(name),
            _accuracy if name == "accuracy" else None,
            _untrained if name == "model_name" else None,
        )
        for name in _SHOWN
    ]
    write_page(
        frame,
        path,
        title=f"{title}: probes",
        remarks=[
            "The same latents under several probes. Compare models by the strong one: a weak "
            "probe's differences may be its own, and the paper's, without ridge, fits noise where "
            "rows are few. Click a heading to sort; hover over it for its meaning."
        ],
        columns=columns,
    )


def _accuracy(row: Row) -> str:
    if row["accuracy"] is None:
        return "–"
    return f"{row['accuracy']:.3f} ± {(row['high'] - row['low']) / 2:.3f}"


def _untrained(row: Row) -> str:
    return "untrained" if row.get("untrained") else ""
