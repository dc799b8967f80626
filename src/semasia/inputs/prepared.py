"""Read a prepared split: ids and labels at once, images by position, nothing copied."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from semasia.errors import ImageError, SourceError
from semasia.filesystems import mapped
from semasia.inputs.images import decode
from semasia.inputs.prepare import SplitFacts


@dataclass(frozen=True)
class PreparedSplit:
    """A prepared split, memory-mapped.

    Attributes
    ----------
    facts : SplitFacts
    ids : (n,) uint32 array
        Strictly increasing positions in the source.
    labels : dict of (n,) int64 arrays
    """

    facts: SplitFacts
    ids: np.ndarray
    labels: dict[str, np.ndarray]
    _images: pa.ChunkedArray
    _data: Path | None = None

    @classmethod
    def open(cls, data: Path, facts: Path) -> PreparedSplit:
        """Open the pair of files that :func:`semasia.inputs.prepare_split` writes.

        Raises
        ------
        SourceError
            If a file is missing or damaged.
        """
        known = SplitFacts.read(facts)
        try:
            table = pa.ipc.open_file(mapped(data)).read_all()
        except (OSError, pa.ArrowInvalid) as error:
            raise SourceError(f"{data}: is no prepared split ({error}). Delete it.") from error
        if table.num_rows != known.rows:
            raise SourceError(
                f"{data}: has {table.num_rows:,} rows, {facts} says {known.rows:,}. Delete both."
            )
        missing = {"id", "image", *known.label_names} - set(table.column_names)
        if missing:
            raise SourceError(f"{data}: has no column {min(missing)!r}. Delete it.")
        return cls(
            facts=known,
            ids=table["id"].to_numpy(),
            labels={c: table[c].to_numpy() for c in known.label_names},
            _images=table["image"],
            _data=data,
        )

    def __len__(self) -> int:
        return len(self.ids)

    def pixels(self, rows: range) -> np.ndarray:
        """Return the pixels of consecutive rows of raw images, without decoding anything.

        Returns
        -------
        (len(rows), h, w) or (len(rows), h, w, 3) uint8 array
            A copy of its own.
        """
        assert self.facts.image_shape
        shape = tuple(self.facts.image_shape)
        out = np.empty((len(rows), *shape), np.uint8)
        filled = 0
        for chunk in self._images.slice(rows.start, len(rows)).chunks:
            size = math.prod(shape)
            values = np.frombuffer(chunk.buffers()[1], np.uint8)
            values = values[chunk.offset * size : (chunk.offset + len(chunk)) * size]
            out[filled : filled + len(chunk)] = values.reshape(-1, *shape)
            filled += len(chunk)
        return out

    def image(self, position: int) -> Image.Image:
        """Return one image in the mode it is stored in; safe to call from several threads.

        Raises
        ------
        ImageError
            If it cannot be decoded; the message names its id.
        """
        stored = self._images[position].as_buffer()
        shape = self.facts.image_shape
        if shape:
            return Image.fromarray(np.frombuffer(stored, np.uint8).reshape(shape))
        try:
            return decode(stored.to_pybytes())
        except (ImageError, MemoryError) as error:
            raise ImageError(
                f"{self.facts.benchmark}/{self.facts.split}: image with id {self.ids[position]} "
                f"cannot be decoded ({str(error) or type(error).__name__}) from {self._data}. "
                "Delete the prepared split and run again."
            ) from error
