"""Read shards, and refuse those whose rows are not their benchmark's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from semasia.errors import RowMismatchError, ShardError
from semasia.inputs import PreparedSplit
from semasia.latents.provenance import digest_of_columns
from semasia.latents.schema import FEATURES_KEY, FORMAT, PROVENANCE_KEY

_FIXED = ("id", "model_name", "embedding")


class Shard:
    """An open shard: footer and provenance read, columns read when asked for.

    Parameters
    ----------
    path : Path
    expected : PreparedSplit, optional
        The benchmark's rows. Without it ids and labels are held to the digests in provenance.

    Raises
    ------
    ShardError
        If the file is no shard, of a newer format, or its columns are not a shard's.
    RowMismatchError
        If ids or labels are not the benchmark's.
    """

    def __init__(self, path: Path, expected: PreparedSplit | None = None) -> None:
        self.path = path
        try:
            self._file = pq.ParquetFile(path, memory_map=True)
        except FileNotFoundError:
            raise ShardError(f"{path}: there is no such shard.") from None
        except (OSError, pa.ArrowInvalid) as error:
            raise ShardError(
                f"{path}: is not a whole Parquet file ({error}). Delete it and run again."
            ) from error
        metadata = self._file.metadata.metadata or {}
        self.provenance: dict[str, Any] = _provenance(path, metadata.get(PROVENANCE_KEY))
        self.rows: int = self._file.metadata.num_rows
        self.label_columns = [n for n in self._file.schema_arrow.names if n not in _FIXED]
        self.width = self._checked_width()
        self._check_rows(expected)

    @property
    def model_name(self) -> str:
        return self.provenance["encoder"]["model_name"]

    @cached_property
    def ids(self) -> np.ndarray:
        """(n,) uint32, strictly increasing."""
        return self._file.read(["id"])["id"].to_numpy()

    @cached_property
    def labels(self) -> dict[str, np.ndarray]:
        """(n,) int64 per label column, in the shard's order."""
        table = self._file.read(self.label_columns)
        return {c: table[c].to_numpy() for c in self.label_columns}

    @cached_property
    def label_names(self) -> dict[str, list[str] | None]:
        """Class names per label column."""
        raw = (self._file.schema_arrow.metadata or {}).get(FEATURES_KEY, b"{}")
        features = json.loads(raw).get("info", {}).get("features", {})
        return {c: features.get(c, {}).get("names") for c in self.label_columns}

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield (rows, width) float32 latents, one row group at a time, each checked as it comes.

        Raises
        ------
        ShardError
            If a value is not finite; the message names the first id.
        """
        start = 0
        for group in range(self._file.num_row_groups):
            column = self._file.read_row_group(group, ["embedding"])["embedding"]
            block = _matrix(column, self.width)
            self._check_finite(block, start)
            start += len(block)
            yield block

    def embeddings(self) -> np.ndarray:
        """Return all latents, (n, width) float32.

        A shard of one row group is a read-only view of the decoded column; a larger one is decoded
        group by group into one array, so that no second copy of it ever exists.
        """
        if self._file.num_row_groups == 1:
            return next(self.blocks())
        result = np.empty((self.rows, self.width), np.float32)
        start = 0
        for block in self.blocks():
            result[start : start + len(block)] = block
            start += len(block)
        return result

    def _checked_width(self) -> int:
        schema = self._file.schema_arrow
        missing = [c for c in _FIXED if c not in schema.names]
        if missing:
            raise ShardError(f"{self.path}: has no column {missing[0]!r}; it has {schema.names}.")
        kind = schema.field("embedding").type
        width = self.provenance["encoder"]["width"]
        if not pa.types.is_fixed_size_list(kind) or kind.value_type != pa.float32():
            raise ShardError(f"{self.path}: `embedding` is {kind}; fixed-size float32 is needed.")
        if kind.list_size != width:
            raise ShardError(
                f"{self.path}: vectors of {kind.list_size}, but provenance says {width}."
            )
        return width

    def _check_rows(self, expected: PreparedSplit | None) -> None:
        known = self.provenance["benchmark"]
        advice = "Delete the shard and run again."
        if self.rows != known["rows"]:
            raise RowMismatchError(
                f"{self.path}: {self.rows:,} rows, but provenance says {known['rows']:,}. {advice}"
            )
        if expected is not None:
            _compare_ids(self.path, self.ids, expected, advice)
            for column in self.label_columns:
                _compare_labels(self.path, column, self, expected, advice)
            return
        if digest_of_columns([self.ids]) != known["ids_sha256"]:
            raise RowMismatchError(
                f"{self.path}: ids are not those that were written{_repeated(self.ids)}. {advice}"
            )
        if digest_of_columns(self.labels.values()) != known["labels_sha256"]:
            raise RowMismatchError(
                f"{self.path}: label columns are not those that were written. {advice}"
            )

    def _check_finite(self, block: np.ndarray, start: int) -> None:
        # A sum is finite only if every term is, up to overflow, which the slow path tells apart.
        if np.isfinite(np.add.reduce(block, axis=None, dtype=np.float64)):
            return
        bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
        if len(bad):
            raise ShardError(
                f"{self.path}: the vector of id {self.ids[start + bad[0]]} (row {start + bad[0]}) "
                f"is not finite; {len(bad)} such rows in this block."
            )


@dataclass(frozen=True)
class Latents:
    """The latents of one model on one split, in memory.

    Attributes
    ----------
    ids : (n,) uint32 array
    labels : dict of (n,) int64 arrays
    label_names : dict
        Class names per label column, or None.
    embeddings : (n, d) float32 array
    provenance : dict
    """

    ids: np.ndarray
    labels: dict[str, np.ndarray]
    label_names: dict[str, list[str] | None]
    embeddings: np.ndarray
    provenance: dict[str, Any]


def shard_path(benchmark: str, model: str, split: str, root: Path) -> Path:
    """Return where a collection keeps a shard."""
    return root / "latents" / benchmark / model / f"{split}.parquet"


def load(benchmark: str, model: str, split: str, *, root: str | Path = "results") -> Latents:
    """Load the latents of one model on one split of a benchmark.

    Parameters
    ----------
    benchmark, model, split : str
    root : path
        The results folder of a collection.

    Raises
    ------
    ShardError
        If there is no such shard or it is damaged.
    RowMismatchError
        If its rows are not the benchmark's.
    """
    shard = open_shard(benchmark, model, split, root=root)
    return Latents(
        ids=shard.ids,
        labels=shard.labels,
        label_names=shard.label_names,
        embeddings=shard.embeddings(),
        provenance=shard.provenance,
    )


def open_shard(benchmark: str, model: str, split: str, *, root: str | Path = "results") -> Shard:
    """Open a shard of a collection, held to the prepared benchmark where that is at hand."""
    base = Path(root)
    prepared = base / "inputs" / benchmark
    data, facts = prepared / f"{split}.arrow", prepared / f"{split}.json"
    expected = PreparedSplit.open(data, facts) if data.is_file() and facts.is_file() else None
    return Shard(shard_path(benchmark, model, split, base), expected)


def _provenance(path: Path, raw: bytes | None) -> dict[str, Any]:
    if raw is None:
        raise ShardError(f"{path}: is a Parquet file without Semasia's provenance.")
    try:
        provenance = json.loads(raw)
        known = provenance["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise ShardError(f"{path}: its provenance cannot be read ({error!r}).") from error
    if not isinstance(known, int) or known > FORMAT:
        raise ShardError(
            f"{path}: is of format {known}, and this version reads up to {FORMAT}; update semasia."
        )
    return provenance


def _matrix(column: pa.ChunkedArray, width: int) -> np.ndarray:
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return array.flatten().to_numpy(zero_copy_only=True).reshape(-1, width)


def _compare_ids(path: Path, ids: np.ndarray, expected: PreparedSplit, advice: str) -> None:
    if np.array_equal(ids, expected.ids):
        return
    where = f"{expected.facts.benchmark}/{expected.facts.split}"
    found = f"{path}: {len(ids):,} rows, but {where} has {len(expected):,}"
    missing = np.setdiff1d(expected.ids, ids)
    extra = np.setdiff1d(ids, expected.ids)
    for name, values in (("missing", missing), ("not of this split", extra)):
        if len(values):
            shown = ", ".join(map(str, values[:5])) + (", …" if len(values) > 5 else "")
            found += f"; ids {name}: {shown} ({len(values):,})"
    raise RowMismatchError(f"{found}{_repeated(ids)}. {advice}")


def _compare_labels(
    path: Path, column: str, shard: Shard, expected: PreparedSplit, advice: str
) -> None:
    if column not in expected.labels:
        raise RowMismatchError(
            f"{path}: label column {column!r} is not among the benchmark's: "
            f"{', '.join(expected.labels) or 'none'}. {advice}"
        )
    differ = np.flatnonzero(shard.labels[column] != expected.labels[column])
    if len(differ):
        row = differ[0]
        raise RowMismatchError(
            f"{path}: {column} of id {shard.ids[row]} is {shard.labels[column][row]}, but the "
            f"benchmark says {expected.labels[column][row]} ({len(differ):,} rows differ). {advice}"
        )


def _repeated(ids: np.ndarray) -> str:
    values, counts = np.unique(ids, return_counts=True)
    again = values[counts > 1]
    if len(again):
        shown = ", ".join(map(str, again[:5]))
        return f"; ids repeated: {shown} ({len(again):,})"
    return "" if np.all(np.diff(ids.astype(np.int64)) > 0) else "; ids are not in order"
