"""Parts: the finished row ranges of a shard in progress.

A part is an Arrow file named by its row range, in a folder named by the run key. It is written
whole or not at all, and carries the SHA-256 of its embeddings, so that a truncated or altered part
is found and computed again, and parts of another run (other weights, other preprocessing) are never
picked up.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from semasia.files import sha256_of_file, whole_file

_NAME = re.compile(r"rows-(\d{9})-(\d{9})\.([0-9a-f]{16})\.arrow")


@dataclass(frozen=True)
class Plan:
    """How a shard is cut: rows per forward pass, and rows per part (a multiple of it)."""

    batch_size: int
    part_rows: int


@dataclass(frozen=True)
class Part:
    """A finished part: rows ``start`` to ``stop`` of the shard."""

    path: Path
    start: int
    stop: int

    def embeddings(self) -> np.ndarray:
        """Return the (stop − start, width) float32 latents, memory-mapped."""
        table = pa.ipc.open_file(pa.memory_map(str(self.path))).read_all()
        column = table["embedding"].chunk(0)
        return column.values.to_numpy(zero_copy_only=True).reshape(len(column), -1)


class Parts:
    """The parts folder of one shard.

    Parameters
    ----------
    shard : Path
        The shard the parts are for; the folder is hidden beside it.
    run_key : str
        Digest of the provenance that every part shares.
    """

    def __init__(self, shard: Path, run_key: str) -> None:
        self.root = shard.with_name(f".{shard.stem}.parts")
        self.folder = self.root / run_key[:32]

    def plan(self, proposed: Plan) -> Plan:
        """Return the plan that the parts at hand were made by; ``proposed`` if there are none.

        A resumed run keeps the batch size it began with, so that it gives the same bytes. As long
        as no part is finished a new proposal wins: a smaller batch after running out of memory.
        """
        path = self.folder / "plan.json"
        known = _read_plan(path) if any(self.folder.glob("rows-*.arrow")) else None
        if known is not None:
            return known
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(asdict(proposed)), encoding="utf-8")
        return proposed

    def write(self, start: int, embeddings: np.ndarray) -> None:
        """Store rows ``start`` … as one part; (n, width) float32."""
        n, width = embeddings.shape
        values = pa.array(np.ascontiguousarray(embeddings, np.float32).reshape(-1))
        array = pa.FixedSizeListArray.from_arrays(values, width)
        batch = pa.record_batch([array], names=["embedding"])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)
        content = sink.getvalue()
        digest = hashlib.sha256(content).hexdigest()[:16]
        path = self.folder / f"rows-{start:09d}-{start + n:09d}.{digest}.arrow"
        with whole_file(path) as temporary:
            temporary.write_bytes(content)

    def finished(self, ranges: list[range]) -> list[Part]:
        """Return the sound parts among ``ranges``, in row order; unsound ones are deleted.

        The digest in a part's name is that of the whole file, so that a damaged file is found
        before anything tries to make sense of it.
        """
        wanted = {(r.start, r.stop) for r in ranges}
        parts: dict[int, Part] = {}
        for path in sorted(self.folder.glob("rows-*.arrow")):
            match = _NAME.fullmatch(path.name)
            if match is None or (int(match[1]), int(match[2])) not in wanted:
                continue
            try:
                sound = sha256_of_file(path)[:16] == match[3]
            except FileNotFoundError:  # another process has just finished the shard
                continue
            if sound:
                parts[int(match[1])] = Part(path, int(match[1]), int(match[2]))
            else:
                path.unlink(missing_ok=True)
        return [parts[start] for start in sorted(parts)]

    def remove(self) -> None:
        """Delete all parts of this shard, those of other run keys included."""
        shutil.rmtree(self.root, ignore_errors=True)


def _read_plan(path: Path) -> Plan | None:
    try:
        plan = Plan(**json.loads(path.read_text(encoding="utf-8")))
        sound = plan.batch_size > 0 and plan.part_rows > 0 and not plan.part_rows % plan.batch_size
    except (OSError, ValueError, TypeError):
        return None
    return plan if sound else None
