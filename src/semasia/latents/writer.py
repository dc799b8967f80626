"""Write a shard: parts as they come, and one Parquet file, renamed into place at the end."""

from __future__ import annotations

import contextlib
import json
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from semasia.errors import EncoderError, ShardError
from semasia.files import leftovers_of
from semasia.inputs import PreparedSplit
from semasia.latents.assembly import Assembly
from semasia.latents.parts import Part, Parts, Plan
from semasia.latents.provenance import digest_of, sealed
from semasia.latents.schema import PROVENANCE_KEY, shard_schema


class ShardWriter:
    """Collects the latents of one (model, benchmark, split) and writes its shard.

    Ask for :meth:`known_plan`, :meth:`begin` with it or with a new one, :meth:`save` and
    :meth:`assemble` what is :meth:`missing`, and :meth:`finish`. Each of the two is called in row
    order; they may be called from two threads.

    Parameters
    ----------
    path : Path
        The finished shard.
    prepared : PreparedSplit
        Gives ids, labels and their names.
    provenance : dict
        What :func:`semasia.latents.provenance_of` returns.
    destination : Path, optional
        Where the finished file goes instead of ``path``, beside which its parts lie all the same.
    """

    def __init__(
        self,
        path: Path,
        prepared: PreparedSplit,
        provenance: dict[str, Any],
        destination: Path | None = None,
    ) -> None:
        self._path = destination or path
        self._prepared = prepared
        self._provenance = provenance
        self._width: int = provenance["encoder"]["width"]
        self._name: str = provenance["encoder"]["model_name"]
        self._parts = Parts(path, digest_of(provenance))
        self._schema = shard_schema(prepared.facts.label_names, self._width)
        self._at_hand: deque[Part] = deque()
        self._assembly = self._empty_assembly()
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
        self._at_hand = deque(self._finished())
        edges = [(p.start, p.stop) for p in self._at_hand]
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
        for path in (*leftovers_of(self._path), *self._parts.root.glob("*/.*.tmp")):
            with contextlib.suppress(OSError):
                path.unlink()

    def save(self, rows: range, embeddings: np.ndarray) -> None:
        """Store the latents of one range of rows as a part, from which a later run goes on.

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

    def assemble(self, rows: range, embeddings: np.ndarray) -> None:
        """Take the latents of one range of rows into the file that becomes the shard.

        Parameters
        ----------
        rows, embeddings
            As of :meth:`save`.

        Raises
        ------
        StorageError
            If the file cannot be written.
        """
        self._assemble_parts(rows.start)
        if self._assembly.rows == rows.start:
            self._assembly.add(embeddings)

    def finish(self) -> None:
        """Assemble the parts into the shard and delete them.

        Raises
        ------
        ShardError
            If rows are missing.
        StorageError
            If the shard cannot be written.
        """
        n = len(self._prepared)
        self._assemble_parts(n)
        if self._assembly.rows != n:
            self.abandon()
            self._at_hand = deque(self._finished())
            self._assemble_parts(n)
        rows = self._assembly.rows
        if rows != n:
            self.abandon()
            if self.is_made():
                # Another process, started by mistake on the same shard, was faster.
                self._parts.remove()
                return
            raise ShardError(f"{self._path}: {rows:,} of {n:,} rows are there; run again.")
        self._assembly.finish(sealed(self._provenance, self.plan.numerics()))
        self._parts.remove()

    def abandon(self) -> None:
        """Delete what is assembled of an unfinished shard; its parts stay."""
        self._assembly.abandon()
        self._assembly = self._empty_assembly()

    def _assemble_parts(self, until: int) -> None:
        """Take earlier runs' parts that follow, up to a row."""
        while self._at_hand and self._at_hand[0].start == self._assembly.rows < until:
            try:
                embeddings = self._at_hand[0].embeddings()
            except FileNotFoundError:
                # Where there are no locks: another process has just finished the shard.
                self._at_hand.clear()
                return
            self._at_hand.popleft()
            self._assembly.add(embeddings)

    def _empty_assembly(self) -> Assembly:
        return Assembly(self._path, self._width, self._table)

    def _finished(self) -> list[Part]:
        return self._parts.finished(len(self._prepared), self.plan.batch_size)

    def _table(self, start: int, embeddings: np.ndarray) -> pa.Table:
        n, width = embeddings.shape
        rows = slice(start, start + n)
        columns = [pa.array(self._prepared.ids[rows], pa.uint32())]
        columns += [pa.array(c[rows], pa.int64()) for c in self._prepared.labels.values()]
        columns.append(pa.repeat(self._name, n))
        columns.append(pa.FixedSizeListArray.from_arrays(pa.array(embeddings.reshape(-1)), width))
        return pa.table(columns, schema=self._schema)
