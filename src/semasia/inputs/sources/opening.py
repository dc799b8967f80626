"""Open one split of a benchmark, whatever its source, and hold it to its card."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest

import numpy as np

from semasia.errors import RowCountError, SourceError
from semasia.inputs.cards import InputsCard
from semasia.inputs.origins import FolderSource, HubSource, IdxSource, PackageSource, ParquetSource
from semasia.inputs.sources.arrays import open_idx, open_package
from semasia.inputs.sources.base import SourceSplit
from semasia.inputs.sources.folder import open_folder
from semasia.inputs.sources.tables import open_hub, open_parquet, open_saved


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
    expected = card.splits[split].rows
    if opened.rows != expected:
        raise RowCountError(
            f"{card.name}/{split}: the source has {opened.rows:,} rows, but the card says "
            f"{expected:,}. If the source is right, correct `splits.{split}.rows` in the card "
            f"{card.name}.yaml."
        )
    names = {c: _class_names(card, split, c, opened) for c in card.labels}
    return replace(opened, names=names)


def _class_names(
    card: InputsCard, split: str, column: str, opened: SourceSplit
) -> tuple[str, ...] | None:
    """Return the names that the shard will carry, after checking values against them."""
    stated = card.labels[column].names
    found = opened.names[column]
    if stated and found and stated != found:
        pairs = enumerate(zip_longest(stated, found))
        differ, (ours, theirs) = next((i, pair) for i, pair in pairs if pair[0] != pair[1])
        raise SourceError(
            f"{card.name}/{split}: class names of {column!r} differ between the card and the "
            f"source, first at {differ}: {ours!r} and {theirs!r} "
            f"({len(stated)} and {len(found)} names). See `labels.{column}.names` in the card."
        )
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
