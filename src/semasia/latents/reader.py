"""Read shards, and refuse those whose rows are not their benchmark's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from semasia.errors import RowMismatchError, ShardError
from semasia.filesystems import mapped
from semasia.inputs import PreparedSplit
from semasia.latents.checks import (
    ADVICE,
    check_columns,
    check_finite,
    check_ids,
    check_inputs,
    check_labels,
    check_whole,
    irregularity,
    read_label_names,
    read_provenance,
    reading,
)
from semasia.latents.provenance import digest_of_columns


class Shard:
    """An open shard: footer, provenance, ids and labels checked, latents read when asked for.

    Parameters
    ----------
    path : Path
    expected : PreparedSplit, optional
        The benchmark's rows. Without it ids and labels are held to the digests in provenance.
    held : bool
        Whether :meth:`blocks` holds latents to the digest in provenance, as :meth:`embeddings` and
        :meth:`verify` always do.

    Attributes
    ----------
    provenance : dict
    rows, width : int
        Number of latent vectors, and their length.
    label_columns : list of str
    label_names : dict
        Class names per label column, or None.

    Raises
    ------
    ShardError
        If the file is no shard, of a newer format, damaged, or its columns are not a shard's.
    RowMismatchError
        If inputs, ids or labels are not the benchmark's.
    """

    def __init__(
        self, path: Path, expected: PreparedSplit | None = None, *, held: bool = False
    ) -> None:
        self.path = path
        self._hold_blocks = held
        self._held = False
        try:
            self._file = pq.ParquetFile(mapped(path))
            schema = self._file.schema_arrow
            columns = schema.names
            metadata = self._file.metadata.metadata or {}
        except FileNotFoundError:
            raise ShardError(f"{path}: there is no such shard.") from None
        except PermissionError as error:
            raise ShardError(f"{path}: may not be read ({error}).") from error
        except (OSError, ValueError, LookupError, pa.ArrowException) as error:
            raise ShardError(
                f"{path}: is not a whole Parquet file ({error}). Delete it and run again."
            ) from error
        self.provenance: dict[str, Any] = read_provenance(path, metadata)
        self.width: int = self.provenance["encoder"]["width"]
        self.rows: int = self._file.metadata.num_rows
        self.label_columns = check_columns(path, schema, self.width)
        self.label_names = read_label_names(path, metadata, columns, self.label_columns)
        self._check_rows(expected)
        self._check_model_name()

    @property
    def model_name(self) -> str:
        return self.provenance["encoder"]["model_name"]

    @property
    def identity(self) -> str:
        """What its values are, and what they were made by: what a result of them is kept under."""
        return self.provenance["embedding_sha256"] + self.provenance["run_key"]

    @cached_property
    def ids(self) -> np.ndarray:
        """(n,) uint32, strictly increasing."""
        return self._column("id").to_numpy()

    @cached_property
    def labels(self) -> dict[str, np.ndarray]:
        """(n,) int64 per label column, in the shard's order."""
        return {c: self._column(c).to_numpy() for c in self.label_columns}

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield (rows, width) float32 latents, one row group at a time, each checked as it comes.

        The digest of the values is not compared here, as a caller may stop early: see `verify`. Of
        a shard opened with ``held`` it is, behind the last block, the first time that all are
        taken.

        Raises
        ------
        ShardError
            If a block is damaged or a value is not finite; the message names the first id. Where
            the digest is compared, as `verify`.
        """
        if self._hold_blocks:
            yield from self._held_blocks()
        else:
            yield from self._blocks()

    def embeddings(self) -> np.ndarray:
        """Return all latents, (n, width) float32, held to the digest in provenance.

        A shard of one row group is a read-only view of the decoded column; a larger one is decoded
        group by group into one array, so that no second copy of it ever exists.

        Raises
        ------
        ShardError
            As `verify`.
        """
        blocks = self._held_blocks()
        if self._file.num_row_groups == 1:
            [whole] = blocks
            return whole
        result = np.empty((self.rows, self.width), np.float32)
        start = 0
        for block in blocks:
            result[start : start + len(block)] = block
            start += len(block)
        return result

    def verify(self) -> None:
        """Compare all latents with the digest in provenance, once: what was held to it is not read.

        Raises
        ------
        ShardError
            If a block is damaged, a value is not finite, or any value is not the one written; the
            message names both digests.
        """
        if not self._held:
            for _ in self._held_blocks():
                pass

    def _blocks(self) -> Iterator[np.ndarray]:
        start = 0
        for group in range(self._file.num_row_groups):
            block = self._matrix(group)
            check_finite(self.path, block, self.ids[start : start + len(block)], start)
            start += len(block)
            yield block

    def _held_blocks(self) -> Iterator[np.ndarray]:
        """Yield the blocks, hashed the first time that all of them are taken."""
        if self._held:
            yield from self._blocks()
            return
        digest = hashlib.sha256()
        for block in self._blocks():
            digest.update(block.astype("<f4", copy=False).data)
            yield block
        found, known = digest.hexdigest(), self.provenance["embedding_sha256"]
        if found != known:
            raise ShardError(
                f"{self.path}: latents are not those that were written: their SHA-256 is {found}, "
                f"but provenance says {known}. {ADVICE}"
            )
        self._held = True

    def _column(self, name: str) -> pa.ChunkedArray:
        with reading(self.path, f"column {name!r}"):
            column = self._file.read([name])[name]
        check_whole(self.path, name, column.null_count, len(column), self.rows)
        return column

    def _matrix(self, group: int) -> np.ndarray:
        with reading(self.path, f"column 'embedding' (row group {group})"):
            column = self._file.read_row_group(group, ["embedding"])["embedding"]
            array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
            rows = self._file.metadata.row_group(group).num_rows
            # Rows first: flattening drops null rows, which would shift all that follow.
            check_whole(self.path, "embedding", array.null_count, len(array), rows)
            values = array.flatten()
            check_whole(self.path, "embedding", values.null_count, len(values), rows * self.width)
            return values.to_numpy(zero_copy_only=True).reshape(rows, self.width)

    def _check_rows(self, expected: PreparedSplit | None) -> None:
        known = self.provenance["benchmark"]
        meta = self._file.metadata
        grouped = sum(meta.row_group(g).num_rows for g in range(meta.num_row_groups))
        for found in (self.rows, grouped):
            if found != known["rows"]:
                raise RowMismatchError(
                    f"{self.path}: {found:,} rows, but provenance says {known['rows']:,}. {ADVICE}"
                )
        if expected is not None:
            check_inputs(self.path, self.provenance, expected)
            check_ids(self.path, self.ids, expected)
            check_labels(self.path, self.ids, self.labels, expected)
        # Also with the benchmark at hand: provenance must speak of the same rows.
        if digest_of_columns([self.ids]) != known["ids_sha256"]:
            raise RowMismatchError(
                f"{self.path}: ids are not those that were written{irregularity(self.ids)}. "
                f"{ADVICE}"
            )
        if digest_of_columns(self.labels.values()) != known["labels_sha256"]:
            raise RowMismatchError(
                f"{self.path}: label columns are not those that were written. {ADVICE}"
            )

    def _check_model_name(self) -> None:
        with reading(self.path, "column 'model_name'"):
            # As a dictionary it is one string and a run length per row group.
            column = pq.ParquetFile(
                self.path, metadata=self._file.metadata, read_dictionary=["model_name"]
            ).read(["model_name"])["model_name"]
            found = {name for c in column.chunks for name in c.unique().to_pylist()}
        check_whole(self.path, "model_name", column.null_count, len(column), self.rows)
        other = sorted(map(str, found - {self.model_name}))
        if other:
            raise ShardError(
                f"{self.path}: column 'model_name' says {other[0]!r}, but provenance says "
                f"{self.model_name!r}. {ADVICE}"
            )
