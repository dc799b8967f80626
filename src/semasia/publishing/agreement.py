"""Whether shards have the rows of those that their repository holds: one repository, one choice."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from semasia.errors import HubError
from semasia.hub import Head, LocalFile, Repository, Retrying
from semasia.latents.layouts import PUBLISHED, Found, arranged
from semasia.latents.schema import FEATURES_KEY, PROVENANCE_KEY
from semasia.publishing.card import SplitRows

# A footer is some tens of kB: 30 row groups of 5 columns, provenance and a thousand class names.
_TAIL = 2**17
_FIXED = ("id", "model_name", "embedding")


@dataclass(frozen=True)
class Rows:
    """What decides whether two shards of a split have the same rows and the same labels.

    Attributes
    ----------
    place : str
        The file, for messages.
    rows : int
    known : dict
        What provenance says of the rows, by what it is called in messages; empty of the original
        release's files, which have none.
    names : dict
        Class names of each label column, None where it has none.
    whole : int
        Rows of the whole split; as many as there are where that is not said.
    """

    place: str
    rows: int
    known: dict[str, Any]
    names: dict[str, list[str] | None]
    whole: int

    @classmethod
    def of(cls, place: str, content: Any) -> Rows:
        """Read the footer of a Parquet file, or of its last bytes."""
        try:
            footer = pq.read_metadata(content)
            metadata = footer.metadata or {}
            columns = footer.schema.to_arrow_schema().names
            said = json.loads(metadata.get(PROVENANCE_KEY, b"{}")).get("benchmark", {})
            features = json.loads(metadata.get(FEATURES_KEY, b"{}")).get("info", {})
            described = features.get("features", {})
        except (OSError, ValueError, AttributeError, pa.ArrowException) as error:
            raise HubError(f"{place}: cannot be read as a shard ({error}).") from None
        known = {
            "benchmark": said.get("name"),
            "fingerprint of images": said.get("fingerprint"),
            "selection of rows": said.get("selection"),
            "ids (SHA-256)": said.get("ids_sha256"),
            "labels (SHA-256)": said.get("labels_sha256"),
        }
        names = {c: described.get(c, {}).get("names") for c in columns if c not in _FIXED}
        rows = footer.num_rows
        return cls(place, rows, known if said else {}, names, said.get("source_rows") or rows)

    def difference(self, other: Rows) -> tuple[str, Any, Any] | None:
        """Return the first thing that differs, and both values; None: the rows are the same."""
        if self.rows != other.rows:
            return "rows", f"{self.rows:,}", f"{other.rows:,}"
        if self.known and other.known:
            # The choice of rows says most, and is told first.
            for what, value in self.known.items():
                if value != other.known[what]:
                    return what, value, other.known[what]
        return self.names_differ(other) if self.known and other.known else None

    def names_differ(self, other: Rows) -> tuple[str, Any, Any] | None:
        """Return which label column has other class names, and both; None: none has."""
        if list(self.names) != list(other.names):
            return "label columns", ", ".join(self.names), ", ".join(other.names)
        for column, names in self.names.items():
            wanted = other.names[column]
            if names != wanted:
                if names and wanted and len(names) == len(wanted):
                    first = next(i for i in range(len(names)) if names[i] != wanted[i])
                    return f"name of class {first} of {column!r}", names[first], wanted[first]
                one, two = (str(len(found)) if found else "none" for found in (names, wanted))
                return f"class names of {column!r}", one, two
        return None


@dataclass
class Agreement:
    """Holds a benchmark's shards to those that its repository has already.

    Parameters
    ----------
    repository : str
    files : sequence of LocalFile
        That are to be published.
    retrying : Retrying
    splits : dict of SplitRows
        Of the splits of the collection; those that only the repository has are added.
    """

    repository: str
    files: Iterable[LocalFile]
    retrying: Retrying
    splits: dict[str, SplitRows]
    _read: dict[tuple[str, ...], Rows] = field(default_factory=dict)
    _ours: dict[str, Rows] | None = None

    def check(self, head: Head) -> None:
        """Compare with what a commit holds; reads the footer of one file of each split.

        Raises
        ------
        HubError
            If rows or labels differ; the message names both and what to do.
        """
        ours = self._own()
        there = self._there(head)
        for split, theirs in there.items():
            if split in ours and (found := ours[split].difference(theirs)):
                raise self._refusal(split, ours[split], theirs, found)
            for own in ours.values():
                if own.known and theirs.known and (found := own.names_differ(theirs)):
                    raise self._refusal(split, own, theirs, found)
            if split not in ours:
                self.splits[split] = SplitRows(theirs.rows, theirs.whole)

    def _own(self) -> dict[str, Rows]:
        if self._ours is None:
            self._ours = {}
            for file in self.files:
                split = _split(file.place)
                rows = Rows.of(str(file.source), file.source)
                first = self._ours.setdefault(split, rows)
                if found := rows.difference(first):
                    what, one, other = found
                    raise HubError(
                        f"{rows.place}: {what}: {one}, but {first.place} has {other}. Nothing of "
                        f"{self.repository} is published: `semasia verify` names what is wrong."
                    )
                if rows.rows != self.splits[split].rows:
                    raise HubError(
                        f"{rows.place}: {rows.rows:,} rows, but the configuration asks for "
                        f"{self.splits[split].rows:,} of {split}: `benchmarks[].rows`. Run "
                        "`snakemake shards`, or mend the configuration."
                    )
        return self._ours

    def _there(self, head: Head) -> dict[str, Rows]:
        """Return what one shard of each split has, of those that are not ours, byte for byte."""
        same = {file.place for file in self.files if head.holds(file)}
        found: dict[str, Found] = {}
        for (_, split), files in arranged(head.files).items():
            if not same.intersection(files.places):
                found.setdefault(split, files)
        return {split: self._footer(head, files) for split, files in found.items()}

    def _footer(self, head: Head, files: Found) -> Rows:
        key = tuple(f"{place} {head.files[place].oid}" for place in files.places)
        if key not in self._read:
            there = Repository(head.repository, head.commit)
            parts = [self._part(there, place) for place in files.places]
            first, rows = parts[0], sum(part.rows for part in parts)
            whole = max(rows, first.whole)
            if not files.released and not first.known:
                raise HubError(f"{first.place}: is no shard of ours. Move it away there.")
            self._read[key] = Rows(first.place, rows, first.known, first.names, whole)
        return self._read[key]

    def _part(self, there: Repository, place: str) -> Rows:
        content = there.last_bytes(place, _TAIL, self.retrying)
        length = int.from_bytes(content[-8:-4], "little") + 8
        if len(content) < length and content[-4:] == b"PAR1":
            content = there.last_bytes(place, length, self.retrying)
        return Rows.of(f"{there.name}/{place}", io.BytesIO(content))

    def _refusal(
        self, split: str, own: Rows, theirs: Rows, found: tuple[str, Any, Any]
    ) -> HubError:
        what, one, other = found
        return HubError(
            f"{self.repository}: split {split!r} is there with other rows or labels than are to be "
            f"published: {what}: {other} in {theirs.place}, {one} in {own.place}. Nothing was "
            "sent. All models of a repository have the same: publish to another one (another "
            "`hub.namespace`, or another name of the benchmark), or delete those models there "
            "(`semasia publish --withdraw MODEL`) and publish again."
        )


def _split(place: str) -> str:
    found = PUBLISHED.fullmatch(place)
    assert found is not None, "made by published_place"
    return found["split"]
