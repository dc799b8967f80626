"""One Parquet file of latents, read in bounded blocks, whatever layout it has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from semasia.errors import ShardError
from semasia.latents.checks import ADVICE, check_whole, reading

# Bytes of vectors decoded at a time, so that a row group as large as a file is not held decoded;
# Arrow holds one row group's compressed bytes.
_BLOCK_BYTES = 8 << 20
# Read as a stream: mapped pages, or a whole column chunk at once, would count as memory in use.
_BUFFER_BYTES = 1 << 20


class ShardFile:
    """An open Parquet file with latents; nothing but the footer is checked.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    schema : pyarrow.Schema
    metadata : dict of bytes
    rows : int

    Raises
    ------
    ShardError
        If it cannot be opened as Parquet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = pq.ParquetFile(path, buffer_size=_BUFFER_BYTES)
            self.schema: pa.Schema = self._file.schema_arrow
            self.metadata: dict[bytes, bytes] = dict(self._file.metadata.metadata or {})
            self.rows: int = self._file.metadata.num_rows
        except PermissionError as error:
            raise ShardError(f"{path}: may not be read ({error}).") from error
        except (OSError, ValueError, LookupError, pa.ArrowException) as error:
            raise ShardError(
                f"{path}: is not a whole Parquet file ({error}). Delete it and fetch it or run "
                "again."
            ) from error

    def column(self, name: str) -> np.ndarray:
        """Return a column without nulls as an (n,) array; strings as objects.

        Raises
        ------
        ShardError
            If it cannot be decoded, has nulls, or another number of values than there are rows.
        """
        with reading(self.path, f"column {name!r}"):
            column = self._file.read([name])[name]
            check_whole(self.path, name, column.null_count, len(column), self.rows)
            return column.to_numpy()

    def distinct(self, name: str) -> list[Any]:
        """Return the distinct values of a string column, sorted; raises as :meth:`column`."""
        found: set[Any] = set()
        rows = nulls = 0
        with reading(self.path, f"column {name!r}"):
            # As a dictionary it is one string and a run length per row group.
            file = pq.ParquetFile(self.path, metadata=self._file.metadata, read_dictionary=[name])
            for batch in file.iter_batches(columns=[name]):
                found.update(batch.column(0).unique().to_pylist())
                rows += len(batch)
                nulls += batch.column(0).null_count
        check_whole(self.path, name, nulls, rows, self.rows)
        return sorted(found, key=str)

    def width(self) -> int:
        """Return the length of the first vector, 0 if there is none."""
        kind = self.schema.field("embedding").type
        if pa.types.is_fixed_size_list(kind):
            return kind.list_size
        with reading(self.path, "column 'embedding'"):
            for batch in self._file.iter_batches(batch_size=1, columns=["embedding"]):
                return batch.column(0).value_lengths()[0].as_py() or 0
        return 0

    def blocks(
        self, width: int, groups: Sequence[int] | None = None
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (first row, (rows, width) float block) in order.

        Parameters
        ----------
        width : int
            Length that every vector must have.
        groups : sequence of int, optional
            Row groups to read; all by default.

        Raises
        ------
        ShardError
            If a block cannot be decoded, holds nulls, has vectors of another length, or the rows
            are not as many as the footer says; the message names the first row.
        """
        counts = [self._file.metadata.row_group(g).num_rows for g in range(self.groups)]
        for group in range(self.groups) if groups is None else groups:
            start, stop = sum(counts[:group]), sum(counts[: group + 1])
            size = max(64, _BLOCK_BYTES // (4 * max(width, 1)))
            batches = self._file.iter_batches(size, row_groups=[group], columns=["embedding"])
            while True:
                with reading(self.path, f"column 'embedding' (row {start} on)"):
                    batch = next(batches, None)
                    if batch is None:
                        break
                    block = self._matrix(batch.column(0), width, start)
                yield start, block
                start += len(block)
            if start != stop:
                raise ShardError(
                    f"{self.path}: row group {group} ends at row {start:,}, not {stop:,}. {ADVICE}"
                )

    def vectors(self, positions: np.ndarray, width: int) -> np.ndarray:
        """Return the (k, width) float vectors of ascending (k,) positions; raises as `blocks`."""
        found = np.empty((len(positions), width), np.float32)
        ends = np.cumsum([self._file.metadata.row_group(g).num_rows for g in range(self.groups)])
        groups = np.unique(np.searchsorted(ends, positions, side="right"))
        for start, block in self.blocks(width, groups.tolist()):
            inside = (positions >= start) & (positions < start + len(block))
            found[inside] = block[positions[inside] - start]
        return found

    @property
    def groups(self) -> int:
        return self._file.num_row_groups

    def _matrix(self, array: Any, width: int, start: int) -> np.ndarray:
        # Rows first: flattening drops null rows, which would shift all that follow.
        check_whole(self.path, "embedding", array.null_count, len(array), len(array))
        if not pa.types.is_fixed_size_list(array.type):
            lengths = array.value_lengths().to_numpy(zero_copy_only=False)
            other = np.flatnonzero(lengths != width)
            if len(other):
                raise ShardError(
                    f"{self.path}: the vector of row {start + other[0]} has length "
                    f"{lengths[other[0]]}, others have {width}. {ADVICE}"
                )
        values = array.flatten()
        check_whole(self.path, "embedding", values.null_count, len(values), len(array) * width)
        return values.to_numpy(zero_copy_only=True).reshape(len(array), width)
