"""Parts: the finished row ranges of a shard in progress.

A part is an Arrow file named by its row range, in a folder named by the run key. It is written
whole or not at all, and carries the SHA-256 of its embeddings, so that a truncated or altered part
is found and computed again, and parts of another run (other weights, other preprocessing) are never
picked up.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from semasia.files import whole_file

_NAME = re.compile(r"rows-(\d{9})-(\d{9})\.arrow")


@dataclass(frozen=True)
class Part:
    """A finished part: rows ``start`` to ``stop`` of the shard."""

    path: Path
    start: int
    stop: int

    def embeddings(self) -> np.ndarray:
        """Return the (stop − start, width) float32 latents, memory-mapped."""
        return _read(self.path)[0]


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

    def plan(self, proposed: dict[str, Any]) -> dict[str, Any]:
        """Return the plan stored beside the parts, storing ``proposed`` if there is none.

        A resumed run keeps the batch size it began with, so that it gives the same bytes.
        """
        path = self.folder / "plan.json"
        with contextlib.suppress(OSError, ValueError):
            return json.loads(path.read_text(encoding="utf-8"))
        self._discard()
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(proposed), encoding="utf-8")
        return proposed

    def write(self, start: int, embeddings: np.ndarray) -> None:
        """Store rows ``start`` … as one part; (n, width) float32."""
        n, width = embeddings.shape
        values = np.ascontiguousarray(embeddings, np.float32)
        array = pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), width)
        digest = hashlib.sha256(values.data).hexdigest()
        schema = pa.schema([pa.field("embedding", array.type)], metadata={"sha256": digest})
        path = self.folder / f"rows-{start:09d}-{start + n:09d}.arrow"
        with (
            whole_file(path) as temporary,
            pa.OSFile(str(temporary), "wb") as sink,
            pa.ipc.new_file(sink, schema) as writer,
        ):
            writer.write_batch(pa.record_batch([array], schema=schema))

    def finished(self, width: int) -> list[Part]:
        """Return the sound parts in row order, without overlap; unsound ones are deleted."""
        parts: list[Part] = []
        for path in sorted(self.folder.glob("rows-*.arrow")):
            match = _NAME.fullmatch(path.name)
            if match is None:
                continue
            part = Part(path, int(match[1]), int(match[2]))
            if not _is_sound(part, width):
                path.unlink(missing_ok=True)
            elif not parts or part.start >= parts[-1].stop:
                parts.append(part)
        return parts

    def remove(self) -> None:
        """Delete all parts of this shard, those of other run keys included."""
        shutil.rmtree(self.root, ignore_errors=True)

    def _discard(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _read(path: Path) -> tuple[np.ndarray, str]:
    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    column = table["embedding"].chunk(0)
    values = column.values.to_numpy(zero_copy_only=True)
    digest = (table.schema.metadata or {}).get(b"sha256", b"").decode()
    return values.reshape(len(column), -1), digest


def _is_sound(part: Part, width: int) -> bool:
    try:
        values, digest = _read(part.path)
    except (OSError, pa.ArrowInvalid, KeyError, ValueError, IndexError):
        return False
    return (
        values.shape == (part.stop - part.start, width)
        and hashlib.sha256(np.ascontiguousarray(values).data).hexdigest() == digest
    )
