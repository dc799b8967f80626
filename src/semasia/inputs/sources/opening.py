"""Open one split of a benchmark, whatever its source, and hold it to its card."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from semasia.errors import RowCountError, SourceError
from semasia.inputs.cards import InputsCard
from semasia.inputs.origins import (
    FolderSource,
    HubSource,
    IdxSource,
    PackageSource,
    ParquetSource,
    SavedSource,
)
from semasia.inputs.sources.arrays import fold_positions, open_idx, open_package
from semasia.inputs.sources.base import SourceSplit
from semasia.inputs.sources.folder import class_folders, open_folder
from semasia.inputs.sources.numbering import checked_names, renumbered
from semasia.inputs.sources.parquet import open_parquet, parquet_names
from semasia.inputs.sources.tables import open_hub, open_saved, saved_names


def open_split(card: InputsCard, split: str, revision: str | None = None) -> SourceSplit:
    """Open one split and check rows, label columns and class names against the card.

    Parameters
    ----------
    card : InputsCard
    split : str
        One of ``card.splits``.
    revision : str, optional
        The commit that a Hub source is read at.

    Raises
    ------
    RowCountError
        If the number of rows differs from the card; the message has both.
    SourceError
        If the split, a file or a column is missing, or a label is out of range.
    """
    if split not in card.splits:
        raise SourceError(
            f"{card.name}: unknown split {split!r}; the card has {', '.join(card.splits)}."
        )
    source = card.source
    if isinstance(source, HubSource):
        opened = open_hub(card, source, split, revision)
    elif isinstance(source, PackageSource):
        opened = open_package(card, source, split)
    elif isinstance(source, IdxSource):
        opened = open_idx(card, source, split)
    elif isinstance(source, FolderSource):
        opened = open_folder(card, source, split)
    elif isinstance(source, ParquetSource):
        opened = open_parquet(card, source, split)
    else:
        opened = open_saved(card, source, split)
    if card.folds is not None and isinstance(source, (HubSource, ParquetSource, SavedSource)):
        opened = opened.take(fold_positions(_strata(opened), card, split))
    expected = card.splits[split].rows
    if opened.rows != expected:
        raise RowCountError(
            f"{card.name}/{split}: the source has {opened.rows:,} rows, but the card says "
            f"{expected:,}. If the source is right, correct `splits.{split}.rows` in the card "
            f"{card.name}.yaml." + _left_out(opened.skipped)
        )
    opened, renumbered_by = _numbered(card, split, opened)
    names = {c: _class_names(card, split, c, opened) for c in card.labels}
    origin = {**opened.origin, **renumbered_by}
    return replace(opened, names=names, origin=origin)


def _strata(opened: SourceSplit) -> np.ndarray:
    return next(iter(opened.labels.values()), np.zeros(opened.rows, np.int64))


def _left_out(skipped: str) -> str:
    said = f" Left out: {skipped}. See `source.extensions` or `source.files` in the card."
    return said if skipped else ""


def numbering_names(card: InputsCard, split: str) -> dict[str, tuple[str, ...] | None]:
    """Return the class names that the labels of a local source are to be counted by.

    For each label column those of the card, else those of the source's first split that is there.
    A split that comes first decides itself. None where nothing states any.

    Raises
    ------
    SourceError
        If the first split's description cannot be read.
    """
    stated = {c: column.names for c, column in card.labels.items()}
    source = card.source
    if isinstance(source, FolderSource):
        return {c: names or class_folders(card, source) for c, names in stated.items()}
    if all(stated.values()) or not isinstance(source, (ParquetSource, SavedSource)):
        return dict(stated)
    read: Any = parquet_names if isinstance(source, ParquetSource) else saved_names
    for first in card.splits:
        if first == split:
            return dict(stated)
        try:
            found = read(card, source, first)
        except SourceError:
            # Not at hand: a collection may be built of the other splits alone.
            continue
        return {
            c: names or (found[c] and checked_names(found[c], f"{card.name}/{first}: {c!r}"))
            for c, names in stated.items()
        }
    return dict(stated)


def _numbered(
    card: InputsCard, split: str, opened: SourceSplit
) -> tuple[SourceSplit, dict[str, str]]:
    """Count labels by one list of names in all splits; return what to say of it in provenance."""
    labels, names, told = dict(opened.labels), dict(opened.names), {}
    for column, wanted in numbering_names(card, split).items():
        found = opened.names[column]
        by = "the card" if card.labels[column].names else "the first split"
        if wanted and not found and not card.labels[column].names:
            raise SourceError(
                f"{card.name}/{split}: the source names no classes of {column!r}, but those of "
                f"{by} it does: the same number may stand for two classes. Name them under "
                f"`labels.{column}.names` in the card."
            )
        if not wanted or not found or tuple(wanted) == found:
            continue
        labels[column] = renumbered(
            labels[column], found, wanted, column=column, where=f"{card.name}/{split}", of=by
        )
        names[column] = tuple(wanted)
        told[f"{column}_renumbered"] = f"by the class names of {by}"
    return replace(opened, labels=labels, names=names), told


def _class_names(
    card: InputsCard, split: str, column: str, opened: SourceSplit
) -> tuple[str, ...] | None:
    """Return the names that the shard will carry, after checking values against them."""
    stated = card.labels[column].names
    found = opened.names[column]
    names = found or stated
    classes = len(names) if names else card.labels[column].classes
    values = opened.labels[column]
    if classes is not None and names and card.labels[column].classes not in (None, classes):
        raise SourceError(
            f"{card.name}/{split}: the source names {classes} classes for {column!r}, but the card "
            f"says {card.labels[column].classes}."
        )
    if split in card.labels[column].absent:
        low = high = -1
    else:
        low, high = 0, classes - 1 if classes is not None else np.iinfo(np.int64).max
    wrong = np.flatnonzero((values < low) | (values > high))
    if len(wrong):
        raise SourceError(
            f"{card.name}/{split}: label column {column!r} is {values[wrong[0]]} at id "
            f"{opened.ids[wrong[0]]}; {low} to {high} was expected ({len(wrong)} such rows)."
        )
    return names
