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
from semasia.latents.encoding import parquet_options, row_group_rows
from semasia.latents.parts import Part, Parts, Plan
from semasia.latents.provenance import digest_of, sealed
from semasia.latents.schema import PROVENANCE_KEY, shard_schema


class ShardWriter:
    """Collects the latents of one (model, benchmark, split) and writes its shard.

    Ask for :meth:`known_plan`, :meth:`begin` with it or with a new one, :meth:`add` what is
    :meth:`missing`, and :meth:`finish`.

    Parameters
    ----------
    path : Path
        The finished shard.
    prepared : PreparedSplit
        Gives ids, labels and their names.
    provenance : dict
        What :func:`semasia.latents.provenance_of` returns.
    """

    def __init__(self, path: Path, prepared: PreparedSplit, provenance: dict[str, Any]) -> None:
        self._path = path
        self._prepared = prepared
        self._provenance = provenance
        self._width: int = provenance["encoder"]["width"]
        self._name: str = provenance["encoder"]["model_name"]
        self._parts = Parts(path, digest_of(provenance))
        self.plan = Plan(0, 0)

    def known_plan(self) -> Plan | None:
        """Return the plan of the parts that an earlier run left, None if it left none."""
        return self._parts.plan()

    def begin(self, plan: Plan) -> None:
        """Store the plan that the rows are computed by; again, when it changes on the way."""
        if plan != self.plan:
            self._parts.begin(plan)
            self.plan = plan

    def missing(self) -> list[range]:
        """Return the row ranges still to compute, in order, none longer than a part."""
        edges = [(p.start, p.stop) for p in self._finished()]
        n, step = len(self._prepared), self.plan.part_rows
        gaps = zip([0, *(e for _, e in edges)], [*(s for s, _ in edges), n], strict=True)
        ranges = []
        for start, stop in gaps:
            while start < stop:
                # Parts end on a common grid, so that a gap is filled in whole parts again.
                end = min(start - start % step + step, stop)
                ranges.append(range(start, end))
                start = end
        return ranges

    def is_made(self) -> bool:
        """Whether a finished shard of these inputs and this encoder is there."""
        try:
            metadata = pq.read_metadata(self._path).metadata or {}
            found = json.loads(metadata[PROVENANCE_KEY])
            numerics = {k: found["numerics"][k] for k in self._provenance["numerics"]}
        except (OSError, pa.ArrowInvalid, KeyError, ValueError, TypeError):
            return False
        shared = {k: v for k, v in found.items() if k in self._provenance}
        return digest_of({**shared, "numerics": numerics}) == digest_of(self._provenance)

    def discard(self) -> None:
        """Delete the parts that earlier runs left."""
        self._parts.remove()

    def sweep(self) -> None:
        """Delete temporary files of killed processes, for the holder of the lock."""
        stale = [*self._path.parent.glob(f".{self._path.name}.*.tmp")]
        stale += self._parts.root.glob("*/.*.tmp")
        for path in stale:
            path.unlink(missing_ok=True)

    def add(self, rows: range, embeddings: np.ndarray) -> None:
        """Store the latents of one range of rows.

        Parameters
        ----------
        rows : range
            One of :meth:`missing`, or its beginning up to the end of a batch.
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
                f"not finite ({len(bad)} of {len(rows)} rows from row {rows.start} on). The parts "
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
        parts = self._finished()
        rows = sum(p.stop - p.start for p in parts)
        if rows != len(self._prepared):
            if self.is_made():
                # Another process, started by mistake on the same shard, was faster.
                self._parts.remove()
                return
            raise ShardError(
                f"{self._path}: {rows:,} of {len(self._prepared):,} rows are there; run again."
            )
        schema = shard_schema(self._prepared.facts.label_names, self._width)
        digest = hashlib.sha256()
        groups = _regrouped(parts, row_group_rows(self._width))
        start, embeddings = next(groups)
        table = self._table(schema, start, embeddings)
        with (
            whole_file(self._path) as temporary,
            pq.ParquetWriter(temporary, schema, **parquet_options(table)) as writer,
        ):
            digest.update(embeddings.data)
            writer.write_table(table)
            for start, embeddings in groups:
                digest.update(embeddings.data)
                writer.write_table(self._table(schema, start, embeddings))
            provenance = sealed(self._provenance, self.plan.numerics())
            provenance["embedding_sha256"] = digest.hexdigest()
            text = json.dumps(provenance, ensure_ascii=False, separators=(",", ":"))
            writer.add_key_value_metadata({PROVENANCE_KEY: text.encode()})
        self._parts.remove()

    def _finished(self) -> list[Part]:
        return self._parts.finished(len(self._prepared), self.plan.batch_size)

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
