"""Hold one shard of the originally released collection to what it says: it has no provenance.

The layout is ``{split}/{model}/part-*.parquet`` with columns ``id``, labels, ``model_name`` and
``embedding`` as a list of floats.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from semasia.audit.discovery import PART, Found
from semasia.audit.finding import RowDigests, ShardRecord
from semasia.audit.references import KnownWidth, width_refusal
from semasia.errors import ShardError
from semasia.latents.checks import check_finite
from semasia.latents.released import check_released_columns, check_released_model
from semasia.latents.shard_file import ShardFile

_FIXED = ("id", "model_name", "embedding")


def check_released(found: Found, widths: Mapping[str, KnownWidth]) -> ShardRecord:
    """Check the parts of one model on one split; every problem is noted, none raised.

    Parameters
    ----------
    found : Found
        Of the layout ``released``.
    widths : mapping of str to KnownWidth

    Returns
    -------
    ShardRecord
        Its digests are None if a part's ids or labels cannot be read.
    """
    record = ShardRecord(found.path, found.files, "released", rows=0)
    if found.place:
        record.model, record.split = found.place.model, found.place.split
        record.benchmark = found.place.benchmark or "?"
    numbers = [int(m[1]) for p in found.files if (m := PART.fullmatch(p.name))]
    absent = sorted(set(range(max(numbers, default=0) + 1)) - set(numbers))
    if absent:
        record.note("rows", f"part {absent[0]} is missing ({len(absent)} such parts).")
    rows = _RowDigester()
    for path in found.files:
        with record.noting("file", path):
            file = ShardFile(path)
            _check_part(record, file, rows)
    if rows.complete:
        record.digests = rows.digests()
    if record.width is not None:
        refusal = width_refusal(widths, record.model, None, record.width)
        if refusal:
            record.note("width", refusal)
    return record


class _RowDigester:
    """Takes in ids and labels part by part; how rows are cut into parts does not matter."""

    def __init__(self) -> None:
        self.complete = True
        self.last = -1
        self.columns: list[str] | None = None
        self._ids = hashlib.sha256()
        self._labels: dict[str, Any] = {}

    def add(self, ids: np.ndarray, labels: Mapping[str, np.ndarray]) -> None:
        self._ids.update(np.ascontiguousarray(ids, "<i8").data)
        for column, values in labels.items():
            self._labels.setdefault(column, hashlib.sha256()).update(_label_bytes(values))

    def digests(self) -> RowDigests:
        labels = tuple((c, d.hexdigest()) for c, d in self._labels.items())
        return RowDigests(self._ids.hexdigest(), labels, None)


def _label_bytes(values: np.ndarray) -> bytes:
    if values.dtype.kind in "iub":
        return np.ascontiguousarray(values, "<i8").tobytes()
    return "".join(f"{len(str(v))}:{v}" for v in values.tolist()).encode()


def _check_part(record: ShardRecord, file: ShardFile, rows: _RowDigester) -> None:
    rows.complete, complete = False, rows.complete
    record.rows = (record.rows or 0) + file.rows
    columns = [c for c in file.schema.names if c not in _FIXED]
    with record.noting("schema", file.path):
        check_released_columns(file)
        if rows.columns not in (None, columns):
            raise ShardError(
                f"label columns are {', '.join(columns) or 'none'}, those of the part before are "
                f"{', '.join(rows.columns or []) or 'none'}."
            )
    if any(f.path == file.path and f.check == "schema" for f in record.findings):
        return
    rows.columns = columns
    with record.noting("model", file.path):
        check_released_model(file, record.model)
    ids: np.ndarray | None = None
    with record.noting("ids", file.path):
        ids = file.column("id")
        _check_ids(ids, rows.last)
    with record.noting("labels", file.path):
        labels = {c: file.column(c) for c in columns}
        if ids is not None:
            rows.add(ids, labels)
            rows.last = int(ids[-1]) if len(ids) else rows.last
            rows.complete = complete
    _check_vectors(record, file, np.arange(file.rows) if ids is None else ids)


def _check_ids(ids: np.ndarray, last: int) -> None:
    """Refuse (n,) ids that do not go on from the part before, or do not begin at 0."""
    values = ids.astype(np.int64)
    if last < 0 and len(values) and values[0] != 0:
        raise ShardError(f"begin at {values[0]}, not at 0.")
    wrong = np.flatnonzero(np.diff(values, prepend=last) <= 0)
    if len(wrong):
        row = wrong[0]
        before = values[row - 1] if row else last
        raise ShardError(
            f"{values[row]} follows {before} in row {row}; they must increase ({len(wrong)} such "
            "rows)."
        )


def _check_vectors(record: ShardRecord, file: ShardFile, ids: np.ndarray) -> None:
    with record.noting("width", file.path):
        width = file.width()
        if record.width is None:
            record.width = width
        elif width != record.width:
            raise ShardError(f"vectors of {width}, those of the part before are {record.width}.")
    for start, block in file.blocks(width):
        if not record.failed("finite"):
            with record.noting("finite", file.path):
                check_finite(file.path, block, ids[start : start + len(block)], start)
