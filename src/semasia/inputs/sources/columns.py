"""Label and image columns of tables, whoever wrote them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from semasia.errors import SourceError
from semasia.inputs.cards import InputsCard
from semasia.inputs.depth import is_deep
from semasia.inputs.images import decoded


def check_there(card: InputsCard, where: str, columns: list[str]) -> None:
    """Refuse a table that lacks the image column or a label column of a card."""
    missing = [c for c in (card.image, *card.labels) if c not in columns]
    if missing:
        raise SourceError(
            f"{where}: the source has no column {missing[0]!r}; it has {', '.join(columns)}. See "
            f"`image` and `labels` in the card {card.name}.yaml."
        )


def label_values(where: str, column: str, values: pa.ChunkedArray, start: int = 0) -> np.ndarray:
    """Return a column of labels as (n,) int64.

    Parameters
    ----------
    where, column : str
        For messages.
    values : pyarrow.ChunkedArray
        Integers or booleans.
    start : int
        Id of the first row.

    Raises
    ------
    SourceError
        If labels are missing, or are no integers; the message names the first id.
    """
    kind = values.type
    absent = _absent(values)
    if len(absent):
        raise SourceError(
            f"{where}: label column {column!r} has no value in {len(absent):,} of {len(values):,} "
            f"rows, first at id {start + absent[0]}. Complete the source; where a split has no "
            f"labels at all, store −1 and name it under `labels.{column}.absent` in the card."
        )
    if not (pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        raise SourceError(f"{where}: label column {column!r} holds {kind}, not integers.")
    found = np.asarray(values.to_numpy())
    if pa.types.is_uint64(kind) and len(found) and found.max() > np.iinfo(np.int64).max:
        raise SourceError(
            f"{where}: label column {column!r} holds {found.max()}, more than int64 can."
        )
    return found.astype(np.int64)


def image_bytes(where: str, column: str, cell: Any, row: int) -> bytes:
    """Return an encoded image from a cell: bytes, or `datasets`' pair of bytes and path.

    Raises
    ------
    SourceError
        If the cell holds no image.
    OSError
        If it names a file that cannot be read.
    """
    if isinstance(cell, bytes):
        return cell
    if isinstance(cell, Mapping) and cell.get("bytes") is not None:
        return cell["bytes"]
    if isinstance(cell, Mapping) and cell.get("path"):
        return Path(cell["path"]).read_bytes()
    raise SourceError(
        f"{where}: column {column!r} holds no image at row {row} (found {type(cell).__name__})."
    )


def as_mode(payload: bytes, mode: str, max_pixels: int | None) -> bytes:
    """Return an image in the mode that `datasets`' image feature states, as a TIFF file.

    Deep pixels, which a conversion would clip, come back as they are.
    """
    found = decoded(payload, max_pixels=max_pixels)
    if is_deep(found):
        return payload
    buffer = io.BytesIO()
    found.image.convert(mode).save(buffer, "TIFF")
    return buffer.getvalue()


def class_names(features: Any, column: str) -> tuple[str, ...] | None:
    """Return the class names that `datasets`' features, as plain JSON, state for a column."""
    try:
        feature = features[column]
        return tuple(feature["names"]) if feature["_type"] == "ClassLabel" else None
    except (KeyError, TypeError, IndexError):
        return None


def _absent(values: pa.ChunkedArray) -> np.ndarray:
    """Return the positions of missing values: null, or NaN among numbers."""
    missing = values.is_null(nan_is_null=pa.types.is_floating(values.type))
    return np.flatnonzero(missing.to_numpy())
