"""Prepare a split once for all models: chosen rows, checked images, one memory-mappable file.

The file is Arrow IPC with columns ``id`` (uint32), one int64 column per label, and ``image``:

- *raw*: every image is small, of one size and grey or RGB: pixels as fixed-size binary;
- *encoded*: anything else: the source's own bytes, decoded anew by each job.

Beside it stands a JSON file of facts (:class:`SplitFacts`), written last.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import struct
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
from PIL import Image

from semasia.errors import ImageError, SourceError
from semasia.files import whole_file
from semasia.inputs.cards import InputsCard
from semasia.inputs.content import split_content
from semasia.inputs.images import Payload, decode
from semasia.inputs.selection import select_rows
from semasia.inputs.sources import SourceSplit, open_split
from semasia.recipes import SELECTION

# Larger images stay encoded. Up to here the pixels take less disk than decoding them anew for each
# of thousands of models takes time: CelebA's 178×218 are within, photographs of ImageNet are not.
_RAW_PIXELS = 224 * 224
_BATCH_ROWS = 1024


@dataclass(frozen=True)
class SplitFacts:
    """What is known of a prepared split, as stored in its JSON file.

    Attributes
    ----------
    rows, source_rows : int
        Rows prepared, and rows of the whole split.
    fingerprint : str
        SHA-256 over the images' shape, then ids, labels and stored images, row by row.
    image_shape : list of int or None
        (h, w) or (h, w, 3) for raw images; None for encoded ones.
    label_names : dict
        Class names per label column, or None.
    origin : dict
        Repository and commit, or file digests.
    selection : dict or None
        How a capped split was chosen.
    """

    benchmark: str
    split: str
    rows: int
    source_rows: int
    fingerprint: str
    image_shape: list[int] | None
    label_names: dict[str, list[str] | None]
    source_kind: str
    origin: dict[str, str]
    selection: dict[str, Any] | None

    @classmethod
    def read(cls, path: Path) -> SplitFacts:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{f.name: content[f.name] for f in fields(cls)})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SourceError(f"{path}: is no description of a prepared split: {error}") from error


def prepare_split(
    card: InputsCard,
    split: str,
    *,
    cap: int | None,
    strata: str | None = None,
    revision: str | None,
    data: Path,
    facts: Path,
    threads: int = 1,
    record: Path | None = None,
    progress: Callable[[int, int, int], None] | None = None,
) -> SplitFacts:
    """Read, check and store one split.

    Parameters
    ----------
    card : InputsCard
    split : str
    cap : int or None
        Keep this many rows, chosen by :func:`semasia.inputs.selection.select_rows`.
    strata : str or None
        Label column that a capped choice is stratified by.
    revision : str or None
        Commit of a Hub source.
    data, facts : Path
        The Arrow file and the JSON file to write.
    threads : int
        Images decoded at a time.
    record : Path, optional
        Where the digest of local files is kept, see :func:`semasia.content.content_digest`.
    progress : callable, optional
        Told (rows done, rows in all, rows just done).

    Raises
    ------
    SourceError
        If the source differs from the card.
    ImageError
        If an image cannot be decoded; the message names its id.
    StorageError
        If a file cannot be written.
    """
    content = split_content(card, split, record)
    whole = open_split(card, split, revision)
    chosen, how = _choose(whole, cap, strata)
    where = f"{card.name}/{split}"
    with whole_file(data) as temporary:
        shape = _raw_shape(_decode(where, chosen, 0, _payload(where, chosen, 0)))
        try:
            fingerprint = _write(temporary, where, chosen, shape, threads, progress)
        except _NotRawError:
            shape = None
            fingerprint = _write(temporary, where, chosen, shape, threads, progress)
    if split_content(card, split, record) != content:
        raise SourceError(f"{where}: the source changed while it was read; run again.")
    said = {"content_sha256": content} if content else {}
    result = SplitFacts(
        benchmark=card.name,
        split=split,
        rows=chosen.rows,
        source_rows=whole.rows,
        fingerprint=fingerprint,
        image_shape=list(shape) if shape else None,
        label_names={c: list(n) if n else None for c, n in chosen.names.items()},
        source_kind=card.source.kind,
        # Sources of few files name the digest of each.
        origin=chosen.origin if _has_digest(chosen.origin) else {**chosen.origin, **said},
        selection=how,
    )
    with whole_file(facts) as temporary:
        text = json.dumps(asdict(result), indent=1, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return result


def _has_digest(origin: Mapping[str, str]) -> bool:
    return any(name.endswith("_sha256") for name in origin)


class _NotRawError(Exception):
    """An image does not fit the raw layout."""


def _choose(
    whole: SourceSplit, cap: int | None, strata: str | None
) -> tuple[SourceSplit, dict[str, Any] | None]:
    if cap is None or cap >= whole.rows:
        return whole, None
    labels = whole.labels[strata] if strata else None
    positions = select_rows(whole.ids, labels, cap)
    how = {"rule": "hash-ranked", "recipe": SELECTION, "stratified_by": strata}
    return whole.take(positions), how


def _raw_shape(image: Image.Image) -> tuple[int, ...] | None:
    """Return the array shape of an image that fits the raw layout, else None."""
    if image.mode not in ("L", "RGB") or image.width * image.height > _RAW_PIXELS:
        return None
    return (image.height, image.width) if image.mode == "L" else (image.height, image.width, 3)


def _write(
    path: Path,
    where: str,
    rows: SourceSplit,
    shape: tuple[int, ...] | None,
    threads: int,
    progress: Callable[[int, int, int], None] | None,
) -> str:
    """Write the Arrow file, raw where ``shape`` is given; return the fingerprint."""

    def stored(position: int) -> bytes:
        payload = _payload(where, rows, position)
        image = _decode(where, rows, position, payload)
        if shape is None:
            return payload if isinstance(payload, bytes) else _as_png(image)
        if _raw_shape(image) != shape:
            raise _NotRawError
        return image.tobytes()

    schema = pa.schema(
        [
            pa.field("id", pa.uint32(), nullable=False),
            *(pa.field(c, pa.int64(), nullable=False) for c in rows.labels),
            pa.field("image", pa.binary(math.prod(shape) if shape else -1), nullable=False),
        ]
    )
    columns = [values.astype("<i8") for values in rows.labels.values()]
    digest = hashlib.sha256(json.dumps(shape).encode())
    with (
        ThreadPoolExecutor(threads) as pool,
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, schema) as writer,
    ):
        for start in range(0, rows.rows, _BATCH_ROWS):
            block = slice(start, min(start + _BATCH_ROWS, rows.rows))
            images = list(pool.map(stored, range(block.start, block.stop)))
            for position, image in enumerate(images, start):
                digest.update(struct.pack("<I", rows.ids[position]))
                for column in columns:
                    digest.update(column[position].tobytes())
                digest.update(struct.pack("<Q", len(image)))
                digest.update(image)
            arrays = [pa.array(rows.ids[block], pa.uint32())]
            arrays += [pa.array(c[block], pa.int64()) for c in columns]
            arrays.append(pa.array(images, schema.field("image").type))
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            if progress:
                progress(block.stop, rows.rows, len(images))
    return digest.hexdigest()


def _payload(where: str, rows: SourceSplit, position: int) -> Payload:
    try:
        return rows.image(position)
    except OSError as error:
        raise SourceError(
            f"{where}: image with id {rows.ids[position]} cannot be read from the source: {error}"
        ) from error


def _decode(where: str, rows: SourceSplit, position: int, payload: Payload) -> Image.Image:
    try:
        return decode(payload)
    except ImageError as error:
        raise ImageError(
            f"{where}: image with id {rows.ids[position]} cannot be decoded ({error}). "
            "Replace the file in the source, or fetch the source again."
        ) from error


def _as_png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
