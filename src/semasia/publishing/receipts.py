"""Receipts: what was found of a shard when it was last read whole, kept until the file changes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from semasia.audit import ShardRecord, verify
from semasia.audit.finding import RowDigests
from semasia.audit.progress import Progress
from semasia.files import sha256_of_file, whole_file
from semasia.latents import Shard


@dataclass(frozen=True)
class Receipt:
    """One shard, read whole.

    Attributes
    ----------
    path : str
    benchmark, model, split : str
    size, changed, touched, inode : int
        Bytes, the times of the last change of the content and of the file's record in ns, and its
        number, as the file system has them. A program can put the first time back, not the second.
    sha256 : str
        Of the file.
    problem : str or None
        Why it is not sound.
    width : int or None
    licence : str or None
        Of the weights, as provenance says.
    digests : RowDigests or None
        Of its rows, to be held against those of other models.
    """

    path: str
    benchmark: str
    model: str
    split: str
    size: int
    changed: int
    touched: int
    inode: int
    sha256: str
    problem: str | None
    width: int | None
    licence: str | None
    digests: RowDigests | None

    def holds(self) -> bool:
        """Whether the file is the one that was read: size, times of change, number are the same."""
        try:
            found = _state(Path(self.path).stat())
        except OSError:
            return False
        return found == {name: getattr(self, name) for name in found}

    def record(self) -> ShardRecord:
        """Return what the audit compares across models."""
        path = Path(self.path)
        return ShardRecord(
            path, (path,), "semasia", self.benchmark, self.model, self.split, digests=self.digests
        )


def receipts_of(paths: Iterable[Path], progress: Progress | None = None) -> list[Receipt]:
    """Read shards whole, each twice: for the audit's checks, and for the file's SHA-256.

    Parameters
    ----------
    paths : iterable of Path
    progress : Progress, optional
        Told after every shard.
    """
    # Before anything is read: what changes meanwhile must not pass for what was read.
    before = {path: path.stat() for path in paths if path.is_file()}
    records = verify(before, progress=progress).records
    return [_receipt(record, before[record.path]) for record in records]


def read_receipts(place: Path) -> dict[str, Receipt]:
    """Return the receipts in a folder, or in one file, that still hold; a damaged file has none.

    Nor has one of an earlier form, which knew less of a file's state.
    """
    found: dict[str, Receipt] = {}
    for file in sorted(place.rglob("*.json")) if place.is_dir() else [place]:
        try:
            rows = json.loads(file.read_text(encoding="utf-8"))
            receipts = [_read(row) for row in rows]
        except (OSError, ValueError, TypeError, KeyError):
            continue
        found |= {r.path: r for r in receipts if r.holds()}
    return found


def write_receipts(receipts: Sequence[Receipt], file: Path) -> None:
    """Write receipts where :func:`read_receipts` finds them."""
    rows = [asdict(receipt) for receipt in receipts]
    with whole_file(file) as temporary:
        temporary.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")


def _receipt(record: ShardRecord, stat: os.stat_result) -> Receipt:
    problems = [finding.message for finding in record.findings if finding.check != "across"]
    return Receipt(
        path=str(record.path),
        benchmark=record.benchmark,
        model=record.model,
        split=record.split,
        **_state(stat),
        sha256=sha256_of_file(record.path),
        problem=problems[0] if problems else None,
        width=record.width,
        licence=None if problems else Shard(record.path).provenance["encoder"].get("license"),
        digests=record.digests,
    )


def _state(stat: os.stat_result) -> dict[str, int]:
    return {
        "size": stat.st_size,
        "changed": stat.st_mtime_ns,
        "touched": stat.st_ctime_ns,
        "inode": stat.st_ino,
    }


def _read(row: dict) -> Receipt:
    digests = row["digests"]
    if digests is not None:
        labels = tuple((name, digest) for name, digest in digests["labels"])
        digests = RowDigests(digests["ids"], labels, digests["fingerprint"])
    return Receipt(**{**row, "digests": digests})
