"""Images in folders, one folder per class."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable
from pathlib import Path
from unicodedata import normalize

import numpy as np

from semasia.errors import SourceError, printable
from semasia.inputs.cards import InputsCard
from semasia.inputs.origins import FolderSource
from semasia.inputs.sources.arrays import fold_positions
from semasia.inputs.sources.base import SourceSplit
from semasia.inputs.sources.listing import Listing, list_files, subfolders

_logger = logging.getLogger(__name__)


def open_folder(card: InputsCard, source: FolderSource, split: str) -> SourceSplit:
    """Open an image folder. The id is the position among the split's sorted relative paths.

    Hidden files and folders, and those that systems leave beside data, are no images and no
    classes; links are followed.
    """
    if len(card.labels) > 1:
        raise SourceError(
            f"{card.name}: an image folder has one label, but the card names {list(card.labels)}."
        )
    listing = list_images(card, source, split)
    if listing.skipped:
        _logger.warning("%s/%s: left out: %s", card.name, split, listing.told())
    paths, root = listing.paths, listing.root
    labels: dict[str, np.ndarray] = {}
    names: dict[str, tuple[str, ...] | None] = {}
    for label, column in card.labels.items():
        classes = column.names or class_folders(card, source)
        labels[label] = _numbered(card, split, label, listing, classes)
        names[label] = classes
    opened = SourceSplit(
        ids=np.arange(len(paths), dtype=np.uint32),
        labels=labels,
        names=names,
        image=functools.partial(_read, paths),
        origin={"folder": printable(root.name)},
        skipped=listing.told(),
        where=lambda i: printable(paths[i]),
    )
    if card.folds is None:
        return opened
    strata = next(iter(labels.values()), np.zeros(len(paths), np.int64))
    return opened.take(fold_positions(strata, card, split))


def list_images(card: InputsCard, source: FolderSource, split: str) -> Listing:
    """List the images of a split.

    Raises
    ------
    SourceError
        If there is no such folder, or as :func:`list_files`.
    """
    root = Path(source.path) / split if source.split_folders else Path(source.path)
    if not root.is_dir():
        raise SourceError(f"{card.name}/{split}: there is no folder {printable(root)}.")
    return list_files(root, {e.lower() for e in source.extensions})


def class_folders(card: InputsCard, source: FolderSource) -> tuple[str, ...]:
    """Return the names of the class folders, sorted, over all splits: one numbering for all.

    Composed as Unicode's form C, so that a copy made by another system has the same numbers. A
    folder without images is a class as any other.

    Raises
    ------
    SourceError
        If a name is no UTF-8: it could not be written into a shard.
    """
    root = Path(source.path)
    roots = [root / split for split in card.splits] if source.split_folders else [root]
    folders = [p for r in roots if r.is_dir() for p in subfolders(r)]
    for folder in folders:
        try:
            folder.name.encode()
        except UnicodeEncodeError:
            raise SourceError(
                f"{card.name}: {printable(folder)} is a class whose name is no UTF-8; rename the "
                "folder."
            ) from None
    return tuple(sorted({normalize("NFC", folder.name) for folder in folders}))


def _numbered(
    card: InputsCard, split: str, label: str, listing: Listing, classes: Iterable[str]
) -> np.ndarray:
    index = {name: value for value, name in enumerate(classes)}
    numbers = np.empty(len(listing.paths), np.int64)
    for position, path in enumerate(listing.paths):
        below = path.relative_to(listing.root).parts
        if len(below) == 1:
            raise SourceError(
                f"{card.name}/{split}: {printable(path)} lies in no class folder, and the card "
                f"asks for the label {label!r}."
            )
        number = index.get(normalize("NFC", below[0]))
        if number is None:
            raise SourceError(
                f"{card.name}/{split}: folder {printable(listing.root / below[0])} is none of the "
                "card's classes."
            )
        numbers[position] = number
    return numbers


def _read(paths: list[Path], position: int) -> bytes:
    return paths[position].read_bytes()
