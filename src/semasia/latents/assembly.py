"""The shard's Parquet file, assembled as rows come, so that little is left to do at the end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from semasia.files import begin_to_sync, whole_file
from semasia.latents.encoding import parquet_options, row_group_rows
from semasia.latents.schema import PROVENANCE_KEY


class Assembly:
    """Takes a shard's latents in row order and writes whole row groups, however they are cut.

    Compressing is much of the work of a shard; done as rows come, it overlaps with the work of an
    accelerator. The file lies under a temporary name until :meth:`finish`.

    Attributes
    ----------
    rows : int
        Taken so far.

    Parameters
    ----------
    path : Path
        The finished shard.
    width : int
    table : callable
        Makes the table of rows ``start`` … from their (b, width) float32 latents.
    """

    def __init__(
        self, path: Path, width: int, table: Callable[[int, np.ndarray], pa.Table]
    ) -> None:
        self.rows = 0
        self._written = 0
        self._path = path
        self._table = table
        self._group = row_group_rows(width)
        self._held: list[np.ndarray] = []
        self._held_rows = 0
        self._digest = hashlib.sha256()
        self._file: Generator[None, pa.Table | dict[str, Any]] | None = None

    def add(self, embeddings: np.ndarray) -> None:
        """Take the latents of the rows that follow: (b, width) float32.

        Raises
        ------
        StorageError
            If the file cannot be written.
        """
        self.rows += len(embeddings)
        while self._held_rows + len(embeddings) >= self._group:
            take = self._group - self._held_rows
            self._hold(embeddings[:take])
            self._write_group()
            embeddings = embeddings[take:]
        if len(embeddings):
            self._hold(embeddings)

    def finish(self, provenance: dict[str, Any]) -> None:
        """Write what is left, add the provenance and the values' digest, rename into place."""
        if self._held:
            self._write_group()
        assert self._file is not None
        self._send({**provenance, "embedding_sha256": self._digest.hexdigest()})

    def abandon(self) -> None:
        """Delete what is written."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _hold(self, embeddings: np.ndarray) -> None:
        self._held.append(embeddings)
        self._held_rows += len(embeddings)

    def _write_group(self) -> None:
        block = np.concatenate(self._held)
        start = self._written
        self._held, self._held_rows = [], 0
        self._digest.update(block.data)
        table = self._table(start, block)
        if self._file is None:
            self._file = _writing(self._path, table.schema, parquet_options(table))
            next(self._file)
        self._send(table)
        self._written = start + len(block)

    def _send(self, what: pa.Table | dict[str, Any]) -> None:
        assert self._file is not None
        try:
            self._file.send(what)
        except StopIteration:
            self._file = None


def _writing(
    path: Path, schema: pa.Schema, options: dict[str, Any]
) -> Generator[None, pa.Table | dict[str, Any]]:
    """Write the tables that are sent, and end with the provenance; a whole file or none."""
    with whole_file(path) as temporary, pq.ParquetWriter(temporary, schema, **options) as writer:
        while isinstance(sent := (yield), pa.Table):
            writer.write_table(sent)
            begin_to_sync(temporary)
        text = json.dumps(sent, ensure_ascii=False, separators=(",", ":"))
        writer.add_key_value_metadata({PROVENANCE_KEY: text.encode()})
