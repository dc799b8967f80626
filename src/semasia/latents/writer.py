"""Write a shard: parts as they come, then one Parquet file, renamed into place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from semasia.errors import EncoderError, ShardError
from semasia.files import whole_file
from semasia.inputs import PreparedSplit
from semasia.latents.parts import Part, Parts, Plan
from semasia.latents.schema import (
    PARQUET_OPTIONS,
    PROVENANCE_KEY,
    row_group_rows,
    shard_schema,
)


class ShardWriter:
    """Collects the latents of one (model, benchmark, split) and writes its shard.

    Parameters
    ----------
    path : Path
        The finished shard.
    prepared : PreparedSplit
        Gives ids, labels and their names.
    provenance : dict
        What :func:`semasia.latents.provenance_of` returns.
    batch_size : int
        Proposed rows per forward pass; a resumed shard keeps the one it began with.
    batches_per_part : int
        Forward passes that are lost at most when a job is killed.
    """

    def __init__(
        self,
        path: Path,
        prepared: PreparedSplit,
        provenance: dict[str, Any],
        *,
        batch_size: int,
        batches_per_part: int,
    ) -> None:
        self._path = path
        self._prepared = prepared
        self._provenance = provenance
        self._width: int = provenance["encoder"]["width"]
        self._name: str = provenance["encoder"]["model_name"]
        self._parts = Parts(path, provenance["run_key"])
        plan = self._parts.plan(Plan(batch_size, batch_size * batches_per_part))
        self.batch_size = plan.batch_size
        n = len(prepared)
        starts = range(0, n, plan.part_rows)
        self._ranges = [range(s, min(s + plan.part_rows, n)) for s in starts]

    def missing(self) -> list[range]:
        """Return the row ranges still to compute, each one part, in order."""
        done = {p.start for p in self._parts.finished(self._ranges)}
        return [r for r in self._ranges if r.start not in done]

    def add(self, rows: range, embeddings: np.ndarray) -> None:
        """Store the latents of one range of rows.

        Parameters
        ----------
        rows : range
            One of :meth:`missing`.
        embeddings : (len(rows), width) float32 array

        Raises
        ------
        EncoderError
            If the shape is another, or a value is not finite; the message names the first id.
        StorageError
            If the part cannot be written.
        """
        facts = self._prepared.facts
        where = f"{self._name}/{facts.benchmark}/{facts.split}"
        if embeddings.shape != (len(rows), self._width):
            raise EncoderError(
                f"{where}: latents of shape {embeddings.shape} for {len(rows)} rows; "
                f"({len(rows)}, {self._width}) was expected."
            )
        bad = np.flatnonzero(~np.isfinite(embeddings).all(axis=1))
        if len(bad):
            raise EncoderError(
                f"{where}: the latent vector of id {self._prepared.ids[rows.start + bad[0]]} is "
                f"not finite ({len(bad)} of {len(rows)} rows from row {rows.start} on). The rows "
                "before are kept; exclude the model, or look at the image."
            )
        self._parts.write(rows.start, embeddings)

    def finish(self) -> None:
        """Assemble the parts into the shard and delete them.

        Raises
        ------
        ShardError
            If rows are missing.
        StorageError
            If the shard cannot be written.
        """
        parts = self._parts.finished(self._ranges)
        rows = sum(p.stop - p.start for p in parts)
        if rows != len(self._prepared):
            if self._is_made():
                # Another process, started by mistake on the same shard, was faster.
                self._parts.remove()
                return
            raise ShardError(
                f"{self._path}: {rows:,} of {len(self._prepared):,} rows are there; run again."
            )
        schema = shard_schema(self._prepared.facts.label_names, self._width)
        digest = hashlib.sha256()
        with (
            whole_file(self._path) as temporary,
            pq.ParquetWriter(temporary, schema, **PARQUET_OPTIONS) as writer,
        ):
            for start, embeddings in _regrouped(parts, row_group_rows(self._width)):
                digest.update(embeddings.data)
                writer.write_table(self._table(schema, start, embeddings))
            provenance = {**self._provenance, "embedding_sha256": digest.hexdigest()}
            text = json.dumps(provenance, ensure_ascii=False, separators=(",", ":"))
            writer.add_key_value_metadata({PROVENANCE_KEY: text.encode()})
        self._parts.remove()

    def _is_made(self) -> bool:
        """Whether the finished shard of this very run is there."""
        try:
            metadata = pq.read_metadata(self._path).metadata or {}
            return json.loads(metadata[PROVENANCE_KEY])["run_key"] == self._provenance["run_key"]
        except (OSError, pa.ArrowInvalid, KeyError, ValueError):
            return False

    def _table(self, schema: pa.Schema, start: int, embeddings: np.ndarray) -> pa.Table:
        n, width = embeddings.shape
        rows = slice(start, start + n)
        columns = [pa.array(self._prepared.ids[rows], pa.uint32())]
        columns += [pa.array(c[rows], pa.int64()) for c in self._prepared.labels.values()]
        columns.append(pa.repeat(self._name, n))
        columns.append(pa.FixedSizeListArray.from_arrays(pa.array(embeddings.reshape(-1)), width))
        return pa.table(columns, schema=schema)


def _regrouped(parts: list[Part], rows: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (start, contiguous block) of exactly ``rows`` rows, the last one shorter.

    The blocks do not depend on how the rows were cut into parts.
    """
    start, held, blocks = 0, 0, []
    for part in parts:
        values = part.embeddings()
        while held + len(values) >= rows:
            take = rows - held
            yield start, np.concatenate([*blocks, values[:take]])
            start, held, blocks, values = start + rows, 0, [], values[take:]
        if len(values):
            blocks.append(values)
            held += len(values)
    if blocks:
        yield start, np.concatenate(blocks)
