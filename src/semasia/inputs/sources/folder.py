"""Images in folders, one folder per class."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from semasia.errors import SourceError
from semasia.inputs.cards import InputsCard
from semasia.inputs.origins import FolderSource
from semasia.inputs.sources.arrays import fold_positions
from semasia.inputs.sources.base import SourceSplit


def open_folder(card: InputsCard, source: FolderSource, split: str) -> SourceSplit:
    """Open an image folder. The id is the position among the split's sorted relative paths."""
    if len(card.labels) > 1:
        raise SourceError(
            f"{card.name}: an image folder has one label, but the card names {list(card.labels)}."
        )
    root = Path(source.path) / split if source.split_folders else Path(source.path)
    if not root.is_dir():
        raise SourceError(f"{card.name}/{split}: there is no folder {root}.")
    extensions = {e.lower() for e in source.extensions}
    paths = sorted(
        (p for p in root.rglob("*") if p.suffix.lower() in extensions and p.is_file()),
        key=lambda p: p.relative_to(root).as_posix(),
    )
    folders = [p.relative_to(root).parts[0] if p.parent != root else "" for p in paths]
    labels: dict[str, np.ndarray] = {}
    names: dict[str, tuple[str, ...] | None] = {}
    for label, column in card.labels.items():
        if "" in folders:
            raise SourceError(
                f"{card.name}/{split}: {paths[folders.index('')]} lies in no class folder, and the "
                f"card asks for the label {label!r}."
            )
        classes = column.names or _class_folders(card, source)
        unknown = sorted(set(folders) - set(classes))
        if unknown:
            raise SourceError(
                f"{card.name}/{split}: folder {root / unknown[0]} is none of the card's classes."
            )
        index = {name: value for value, name in enumerate(classes)}
        labels[label] = np.array([index[f] for f in folders], np.int64)
        names[label] = classes
    opened = SourceSplit(
        ids=np.arange(len(paths), dtype=np.uint32),
        labels=labels,
        names=names,
        image=functools.partial(_read, paths),
        origin={"folder": root.name},
        where=lambda i: str(paths[i]),
    )
    if card.folds is None:
        return opened
    strata = next(iter(labels.values()), np.zeros(len(paths), np.int64))
    return opened.take(fold_positions(strata, card, split))


def _class_folders(card: InputsCard, source: FolderSource) -> tuple[str, ...]:
    """Return the names of the class folders, sorted, over all splits: one numbering for all."""
    root = Path(source.path)
    roots = [root / split for split in card.splits] if source.split_folders else [root]
    return tuple(sorted({p.name for r in roots if r.is_dir() for p in r.iterdir() if p.is_dir()}))


def _read(paths: list[Path], position: int) -> bytes:
    return paths[position].read_bytes()
