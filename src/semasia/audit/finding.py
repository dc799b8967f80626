"""What an audit tells: problems, one record per shard, and the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from semasia.errors import SemasiaError

# `semasia`: one file with provenance. `released`: the original collection's parts, without any.
Layout = Literal["semasia", "released"]

# The words that name a check, and what each holds a shard to.
CHECKS = {
    "file": "the file opens and every page of it can be decoded",
    "provenance": "it is there, complete, and hashes to its run key",
    "schema": "columns, their types, and the description of features",
    "place": "benchmark, model and split are those of the path",
    "rows": "as many as provenance says",
    "ids": "strictly increasing, those of provenance and of the prepared inputs",
    "labels": "those of provenance and of the prepared inputs",
    "inputs": "computed from the prepared inputs at hand",
    "width": "that of provenance, and the registry's for this model",
    "model": "the column `model_name` says what provenance or the folder says",
    "finite": "neither NaN nor infinity",
    "checksum": "the values are those that were written",
    "across": "ids, labels and inputs are those of the other models of the split",
    "names": "class names, in order of value, are those of the benchmark's other shards",
    "weights": "recomputed: the weights loaded are those of provenance",
    "values": "recomputed: rows drawn at random come out again",
}


@dataclass(frozen=True)
class Finding:
    """One problem.

    Attributes
    ----------
    path : Path
        The file to look at.
    check : str
        One of :data:`CHECKS`.
    message : str
        What was found, without the path.
    """

    path: Path
    check: str
    message: str


@dataclass(frozen=True)
class RowDigests:
    """What decides whether two shards have the same rows.

    Attributes
    ----------
    ids : str
        SHA-256 of the ids as stored.
    labels : tuple of (str, str)
        Name and SHA-256 of each label column as stored, in order.
    fingerprint : str or None
        Of the inputs, as provenance says; None without provenance.
    """

    ids: str
    labels: tuple[tuple[str, str], ...]
    fingerprint: str | None


@dataclass
class ShardRecord:
    """What is known of one shard, and what is wrong with it.

    Attributes
    ----------
    path : Path
        The shard; for the released layout, the folder of its parts.
    files : tuple of Path
    layout : {"semasia", "released"}
    benchmark, model, split : str
        Of the path where it says so, else of provenance; "?" where neither does.
    rows, width : int or None
    digests : RowDigests or None
        None where ids or labels cannot be read.
    label_names : mapping of tuple of str
        Class names of each label column that has any, in order of value.
    held_to_inputs : bool
        Whether prepared inputs were at hand.
    findings : list of Finding
    """

    path: Path
    files: tuple[Path, ...]
    layout: Layout
    benchmark: str = "?"
    model: str = "?"
    split: str = "?"
    rows: int | None = None
    width: int | None = None
    digests: RowDigests | None = None
    label_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    held_to_inputs: bool = False
    findings: list[Finding] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.findings

    def note(self, check: str, message: str, path: Path | None = None) -> None:
        """Add a problem; the path is cut from the message's front."""
        where = path or self.path
        self.findings.append(Finding(where, check, message.removeprefix(f"{where}: ")))

    @contextmanager
    def noting(self, check: str, path: Path | None = None) -> Iterator[None]:
        """Turn an error that the block raises on purpose into a problem under this check."""
        try:
            yield
        except SemasiaError as error:
            self.note(check, str(error), path)

    def failed(self, *checks: str) -> bool:
        """Whether one of these checks found something."""
        return any(f.check in checks for f in self.findings)


@dataclass
class Recomputation:
    """What recomputing rows gave.

    Attributes
    ----------
    asked, compared : int
        Rows asked for, and rows that could be computed again.
    shards, networks : int
        Shards with a compared row, and networks built.
    lowest_cosine, largest_error : float or None
        Over all compared rows; the error is the length of the difference, divided by the longer of
        the two vectors.
    unavailable : list of str
        Why rows could not be computed, one line per model and reason.
    """

    asked: int
    compared: int = 0
    shards: int = 0
    networks: int = 0
    lowest_cosine: float | None = None
    largest_error: float | None = None
    unavailable: list[str] = field(default_factory=list)


@dataclass
class Audit:
    """The outcome of :func:`semasia.audit.verify`.

    Attributes
    ----------
    records : list of ShardRecord
    loose : list of Finding
        Problems of no shard: a path without shards, prepared inputs that cannot be read.
    recomputation : Recomputation or None
        None if none was asked for.
    notes : list of str
        What could not be held against anything.
    """

    records: list[ShardRecord] = field(default_factory=list)
    loose: list[Finding] = field(default_factory=list)
    recomputation: Recomputation | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def findings(self) -> list[Finding]:
        """All problems, those of no shard first."""
        return [*self.loose, *(f for r in self.records for f in r.findings)]

    @property
    def status(self) -> int:
        """Exit status: 0 if shards were found, all are sound, and rows asked for were compared."""
        again = self.recomputation
        untold = again is not None and again.asked > 0 and not again.compared
        return int(bool(self.findings) or not self.records or untold)
