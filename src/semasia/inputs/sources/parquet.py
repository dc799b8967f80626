"""Folders of Parquet files, read in place.

Not through `datasets.load_dataset`, which copies what it reads to a cache by path and time: a file
that was replaced within a tick of the clock, or whose time was put back, would be read from there.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from semasia.errors import SourceError, first_line, printable
from semasia.inputs.cards import InputsCard
from semasia.inputs.origins import ParquetSource
from semasia.inputs.sources.base import SourceSplit
from semasia.inputs.sources.columns import (
    as_mode,
    check_there,
    class_names,
    image_bytes,
    label_values,
)
from semasia.inputs.sources.numbering import checked_names, renumbered

# Row groups whose images are held: the one being read, and the one before it, which another thread
# may not have done with.
_HELD = 2
# `train-00000-of-00002.parquet`, as `datasets` and the Hub write, with or without a digest behind
# it; `train-0.parquet`; `train.parquet`.
_NUMBERED = r"(-\d+(-of-\d+)?(-[0-9a-f]{8,})?)?\.parquet"


def open_parquet(card: InputsCard, source: ParquetSource, split: str) -> SourceSplit:
    """Open one split of a folder of Parquet files, in the order of their names.

    Of each file only the image column and the label columns are looked at. Where files count class
    names differently, the labels of all are counted as in the first file.
    """
    files = [_File.open(card, split, path) for path in parquet_files(card, source, split)]
    labels: dict[str, np.ndarray] = {}
    names: dict[str, tuple[str, ...] | None] = {}
    # Writers in parallel leave files without rows, which state nothing.
    first = next((f for f in files if f.rows), files[0])
    for column in card.labels:
        names[column] = first.names[column]
        labels[column] = _labels(card, split, column, files, first)
    images = _Images(f"{card.name}/{split}", card.image, files, card.max_pixels)
    return SourceSplit(
        ids=np.arange(sum(f.rows for f in files), dtype=np.uint32),
        labels=labels,
        names=names,
        image=images.stored if images.mode is None else images.converted,
        skipped=_left_out(card, source, split),
        where=images.where,
    )


def parquet_files(card: InputsCard, source: ParquetSource, split: str) -> list[Path]:
    """Return the files of a split, sorted by name.

    Raises
    ------
    SourceError
        If there is none, or another split of the card takes one of them too.
    """
    files = _matching(card, source, split)
    if not files:
        pattern = source.files.get(split, f"{split}-*.parquet")
        left_out = _left_out(card, source, split)
        raise SourceError(
            f"{card.name}/{split}: no file {pattern} in {printable(source.path)}"
            + (f" ({left_out}); name them under `source.files`." if left_out else ".")
        )
    for other in card.splits:
        both = set(files) & set(_matching(card, source, other)) if other != split else set()
        # Folds are what makes two splits of the same files.
        if both and card.folds is None:
            raise SourceError(
                f"{card.name}: {printable(min(both))} is taken by two splits, {split!r} and "
                f"{other!r}; see `source.files`."
            )
    return files


def parquet_names(card: InputsCard, source: ParquetSource, split: str) -> dict[str, Any]:
    """Return the class names per label column of a split that its first file states."""
    files = [_File.open(card, split, path) for path in parquet_files(card, source, split)]
    return next((f for f in files if f.rows), files[0]).names


def _matching(card: InputsCard, source: ParquetSource, split: str) -> list[Path]:
    folder = Path(source.path)
    if split in source.files:
        found = (p for p in folder.glob(source.files[split]) if not p.name.startswith("."))
        return sorted(found, key=str)
    own = re.compile(re.escape(split) + _NUMBERED)
    # `test-2.parquet` is the file of a split `test-2` where the card has one.
    longer = [s for s in card.splits if s.startswith(f"{split}-")]
    others = [re.compile(re.escape(s) + _NUMBERED) for s in longer]
    found = folder.glob(f"{split}*.parquet") if folder.is_dir() else ()
    taken = (p for p in found if own.fullmatch(p.name))
    return sorted((p for p in taken if not any(o.fullmatch(p.name) for o in others)), key=str)


def _left_out(card: InputsCard, source: ParquetSource, split: str) -> str:
    if split in source.files or not Path(source.path).is_dir():
        return ""
    taken = {p for s in card.splits for p in _matching(card, source, s)}
    begun = (p for p in Path(source.path).glob(f"{split}-*") if p.is_file())
    others = sorted(printable(p.name) for p in begun if p not in taken)
    shown = ", ".join(others[:3]) + (", …" if len(others) > 3 else "")
    return f"{len(others):,} files not taken: {shown}" if others else ""


@dataclass(frozen=True)
class _File:
    """One Parquet file that has the columns of a card."""

    path: Path
    file: pq.ParquetFile
    rows: int
    names: dict[str, tuple[str, ...] | None]
    mode: str | None

    @classmethod
    def open(cls, card: InputsCard, split: str, path: Path) -> _File:
        where = f"{card.name}/{split}: {printable(path)}"
        try:
            file = pq.ParquetFile(path)
        except (OSError, pa.ArrowException) as error:
            raise SourceError(
                f"{where}: is not a whole Parquet file ({first_line(error)})."
            ) from error
        schema = file.schema_arrow
        rows = file.metadata.num_rows
        if rows:
            check_there(card, where, schema.names)
        features = _features(schema)
        names = {}
        for column in card.labels:
            stated = class_names(features, column)
            names[column] = stated and checked_names(stated, f"{where}: {column!r}")
        image = features.get(card.image)
        mode = image.get("mode") if isinstance(image, dict) else None
        return cls(path, file, rows, names, mode)


def _features(schema: pa.Schema) -> dict[str, Any]:
    try:
        found = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _labels(
    card: InputsCard, split: str, column: str, files: list[_File], first: _File
) -> np.ndarray:
    parts, start = [np.empty(0, np.int64)], 0
    for file in (f for f in files if f.rows):
        where = f"{card.name}/{split}: {printable(file.path)}"
        try:
            values = file.file.read([column])[column]
        except (OSError, pa.ArrowException) as error:
            raise SourceError(
                f"{where}: column {column!r} cannot be read ({first_line(error)})."
            ) from error
        numbers = label_values(where, column, values, start)
        start += file.rows
        theirs, ours = file.names[column], first.names[column]
        if (theirs is None) != (ours is None):
            raise SourceError(
                f"{where}: names {'no ' if theirs is None else ''}classes of {column!r}, but "
                f"{printable(first.path)} does{' not' if ours is None else ''}: the same number "
                "may stand for two classes."
            )
        if theirs is not None and ours is not None:
            numbers = renumbered(
                numbers, theirs, ours, column=column, where=file.path, of=printable(first.path)
            )
        parts.append(numbers)
    return np.concatenate(parts)


class _Images:
    """The image column of several files, read row group by row group."""

    def __init__(self, where: str, column: str, files: list[_File], max_pixels: int | None) -> None:
        self._where = where
        self._max_pixels = max_pixels
        self._column = column
        self._groups = [(f, g) for f in files for g in range(f.file.num_row_groups)]
        rows = [f.file.metadata.row_group(g).num_rows for f, g in self._groups]
        self._ends = np.cumsum(rows, dtype=np.int64)
        self._lock = threading.Lock()
        self._held: OrderedDict[int, pa.ChunkedArray] = OrderedDict()
        self.mode = next((f.mode for f in files if f.mode), None)

    def stored(self, position: int) -> bytes:
        number, row = self._place(position)
        cell = self._group(number)[row].as_py()
        path = self._groups[number][0].path
        return image_bytes(f"{self._where}: {printable(path)}", self._column, cell, position)

    def converted(self, position: int) -> bytes:
        return as_mode(self.stored(position), str(self.mode), self._max_pixels)

    def where(self, position: int) -> str:
        number, row = self._place(position)
        cell = self._group(number)[row].as_py()
        file, group = self._groups[number]
        before = sum(file.file.metadata.row_group(g).num_rows for g in range(group))
        told = f"{printable(file.path)}, row {before + row}"
        path = cell.get("path") if isinstance(cell, dict) else None
        return f"{printable(path)}, {told}" if path else told

    def _place(self, position: int) -> tuple[int, int]:
        """Return which row group a row of the split lies in, and which of its rows it is."""
        number = int(np.searchsorted(self._ends, position, side="right"))
        return number, position - (int(self._ends[number - 1]) if number else 0)

    def _group(self, number: int) -> pa.ChunkedArray:
        with self._lock:
            if number not in self._held:
                file, group = self._groups[number]
                try:
                    table = file.file.read_row_group(group, [self._column])
                except (OSError, pa.ArrowException) as error:
                    raise SourceError(
                        f"{self._where}: {printable(file.path)}: column {self._column!r}, row "
                        f"group {group}, cannot be read ({first_line(error)})."
                    ) from error
                while len(self._held) >= _HELD:
                    self._held.popitem(last=False)
                self._held[number] = table[self._column]
            return self._held[number]
