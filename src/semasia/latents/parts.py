"""Parts: the finished row ranges of a shard in progress.

A part is an Arrow file named by its row range and by the SHA-256 of its bytes, in a folder named by
the digest of what all parts share (:func:`~semasia.latents.provenance.provenance_of`). It is
written whole or not at all. A truncated or altered part is found and computed again, and parts of
other weights, inputs or preprocessing are never picked up.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from semasia.beside import parts_of
from semasia.errors import StorageError
from semasia.files import sha256_of_file, whole_file
from semasia.filesystems import mapped

ENGINES = ("eager", "inductor")
_NAME = re.compile(r"rows-(\d{9})-(\d{9})\.([0-9a-f]{16})\.arrow")


@dataclass(frozen=True)
class Plan:
    """How a shard is computed: decided once, stored beside its parts and kept on resume.

    All of it can change a value's last bits, and is part of the shard's provenance.

    Attributes
    ----------
    batch_size : int
        Images per forward pass.
    part_rows : int
        Rows per part: a multiple of ``batch_size``.
    engine : str
        ``eager`` or ``inductor``.
    threads : int or None
        Of the network, where it runs on the processor.
    smallest_batch : int or None
        Images per forward pass after memory ran out, if it did.
    computed_on : tuple of str
        Kinds of device that computed rows.
    """

    batch_size: int
    part_rows: int
    engine: str = "eager"
    threads: int | None = None
    smallest_batch: int | None = None
    computed_on: tuple[str, ...] = ()

    def numerics(self) -> dict[str, Any]:
        """Return what belongs into provenance."""
        known = {k: v for k, v in asdict(self).items() if v and k != "part_rows"}
        return {**known, "computed_on": list(self.computed_on)}


@dataclass(frozen=True)
class Part:
    """A finished part: rows ``start`` to ``stop`` of the shard."""

    path: Path
    start: int
    stop: int

    def embeddings(self) -> np.ndarray:
        """Return the (stop − start, width) float32 latents, memory-mapped."""
        table = pa.ipc.open_file(mapped(self.path)).read_all()
        column = table["embedding"].chunk(0)
        return column.values.to_numpy(zero_copy_only=True).reshape(len(column), -1)


class Parts:
    """The parts folder of one shard.

    Parameters
    ----------
    shard : Path
        The shard the parts are for; the folder is hidden beside it.
    key : str
        Digest of what every part shares.
    """

    def __init__(self, shard: Path, key: str) -> None:
        self.root = parts_of(shard)
        self.folder = self.root / key[:32]

    def plan(self) -> Plan | None:
        """Return the plan that the parts at hand were made by; None if there are none."""
        if not any(self.folder.glob("rows-*.arrow")):
            return None
        try:
            content = json.loads((self.folder / "plan.json").read_text(encoding="utf-8"))
            plan = Plan(**{**content, "computed_on": tuple(content["computed_on"])})
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        return plan if _is_possible(plan) else None

    def begin(self, plan: Plan) -> None:
        """Store the plan. Parts made by no known plan are of unknown cut, and are deleted."""
        if self.plan() is None:
            for path in self.folder.glob("rows-*.arrow"):
                path.unlink(missing_ok=True)
        with whole_file(self.folder / "plan.json") as temporary:
            temporary.write_text(json.dumps(asdict(plan)), encoding="utf-8")

    def write(self, start: int, embeddings: np.ndarray) -> None:
        """Store rows ``start`` … as one part; (n, width) float32."""
        n, width = embeddings.shape
        values = pa.array(np.ascontiguousarray(embeddings, np.float32).reshape(-1))
        array = pa.FixedSizeListArray.from_arrays(values, width)
        rows = {"rows": f"{start}-{start + n}"}
        batch = pa.record_batch([array], names=["embedding"]).replace_schema_metadata(rows)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)
        content = sink.getvalue()
        digest = hashlib.sha256(content).hexdigest()[:16]
        path = self.folder / f"rows-{start:09d}-{start + n:09d}.{digest}.arrow"
        try:
            _write(path, content)
        except StorageError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
            # Where there are no locks: another process finished the shard and deleted the folder.
            _write(path, content)

    def finished(self, rows: int, batch_size: int) -> list[Part]:
        """Return the sound parts in row order, none overlapping another; unsound ones are deleted.

        The digest in a part's name is that of the whole file, so that a damaged file is found
        before anything tries to make sense of it.

        Parameters
        ----------
        rows : int
            Of the shard.
        batch_size : int
            Parts begin and end between batches.
        """
        found = []
        for path in self.folder.glob("rows-*.arrow"):
            match = _NAME.fullmatch(path.name)
            start, stop = (int(match[1]), int(match[2])) if match else (0, 0)
            aligned = start % batch_size == 0 and (stop % batch_size == 0 or stop == rows)
            part = Part(path, start, stop)
            if match and aligned and start < stop <= rows and _is_sound(part, match[3]):
                found.append(part)
            elif path.is_file():
                path.unlink(missing_ok=True)
        parts: list[Part] = []
        for part in sorted(found, key=lambda p: (p.start, -p.stop)):
            if not parts or part.start >= parts[-1].stop:
                parts.append(part)
        return parts

    def remove(self) -> None:
        """Delete all parts of this shard, those of other keys included."""
        shutil.rmtree(self.root, ignore_errors=True)


def _write(path: Path, content: pa.Buffer) -> None:
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def _is_sound(part: Part, digest: str) -> bool:
    try:
        if sha256_of_file(part.path)[:16] != digest:
            return False
        metadata = pa.ipc.open_file(mapped(part.path)).schema.metadata or {}
    except (OSError, pa.ArrowInvalid):  # a folder; or another process has just finished the shard
        return False
    # The name may have been changed; the bytes say which rows they are.
    return metadata.get(b"rows") == f"{part.start}-{part.stop}".encode()


def _is_possible(plan: Plan) -> bool:
    """Whether a plan read from a file is one that could have been written."""

    def whole(value: object, most: int) -> bool:
        return type(value) is int and 1 <= value <= most

    return (
        whole(plan.batch_size, 1 << 20)
        and whole(plan.part_rows, 1 << 40)
        and plan.part_rows % plan.batch_size == 0
        and plan.engine in ENGINES
        and (plan.threads is None or whole(plan.threads, 1 << 12))
        and (plan.smallest_batch is None or whole(plan.smallest_batch, plan.batch_size))
        and all(type(kind) is str for kind in plan.computed_on)
    )
