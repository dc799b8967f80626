"""Write a prepared split, batch by batch, in memory that does not grow with it."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from semasia.errors import ImageError, SourceError
from semasia.inputs.admission import Admission, raw_shape

# A batch ends at so many rows or bytes of images, whichever comes first; one image may have more.
_BATCH_ROWS = 1024
_BATCH_BYTES = 256 << 20
# Images read ahead of the one that is written, for each thread.
_AHEAD = 4
# Images that are named where several are refused.
_MOST_NAMED = 5


class NotRawError(Exception):
    """An image does not fit the raw layout."""


def write_split(
    path: Path,
    admission: Admission,
    shape: tuple[int, ...] | None,
    threads: int,
    progress: Callable[[int, int, int], None] | None,
) -> str:
    """Write the Arrow file, raw where ``shape`` is given; return the fingerprint.

    Raises
    ------
    NotRawError
        If an image has not the ``shape``.
    SourceError
        If images are refused. All of them are looked at, until several have been found.
    """
    rows = admission.rows
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
        stop = 0
        for images in _batches(_all(admission, shape, pool, threads)):
            start, stop = stop, stop + len(images)
            block = slice(start, stop)
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
                progress(stop, rows.rows, len(images))
    return digest.hexdigest()


def _all(
    admission: Admission, shape: tuple[int, ...] | None, pool: ThreadPoolExecutor, threads: int
) -> Iterator[bytes]:
    """Yield images as they are stored, in order, a few read ahead; refuse what is not admitted."""

    def stored(position: int) -> bytes:
        admitted = admission.image(position)
        if shape is None:
            return admitted.encoded()
        if raw_shape(admitted.image) != shape:
            raise NotRawError
        return admitted.image.tobytes()

    waiting: deque[tuple[int, Future[bytes]]] = deque()
    refused: list[tuple[int, SourceError]] = []
    positions = iter(range(admission.rows.rows))
    while len(refused) < _MOST_NAMED:
        while len(waiting) < _AHEAD * threads and (position := next(positions, None)) is not None:
            waiting.append((position, pool.submit(stored, position)))
        if not waiting:
            break
        position, future = waiting.popleft()
        try:
            image = future.result()
        except SourceError as error:
            refused.append((position, error))
            continue
        except NotRawError:
            if refused:
                continue
            raise
        if not refused:
            yield image
    if refused:
        raise _refusal(admission, refused)


def _refusal(admission: Admission, refused: list[tuple[int, SourceError]]) -> SourceError:
    _, first = refused[0]
    if len(refused) == 1:
        return first
    kind = ImageError if all(isinstance(e, ImageError) for _, e in refused) else SourceError
    others = ", ".join(admission.named(position) for position, _ in refused[1:])
    more = " and perhaps more" if len(refused) == _MOST_NAMED else ""
    return kind(f"{first} Likewise refused: {others}{more}.")


def _batches(images: Iterator[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for image in images:
        if batch and (len(batch) == _BATCH_ROWS or size + len(image) > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(image)
        size += len(image)
    if batch:
        yield batch
