"""The registry that several collections of a namespace publish together: a row for each model."""

from __future__ import annotations

import io
from collections.abc import Collection as Names
from pathlib import Path

import polars as pl

from semasia.errors import HubError
from semasia.hub import Head, LocalFile, Repository, Retrying
from semasia.publishing.card import REGISTRY_PLACE
from semasia.tables import read_table

KEY = "model_name"


class Registries:
    """Joins our table of models to the one that a repository holds.

    Parameters
    ----------
    table : Path or None
        Ours, as Parquet; None: of the one there, rows are only taken out.
    retrying : Retrying
    hold_back : collection of str
        Licences of models that are not among ours.
    without : collection of str
        Models that the result does not have.

    Attributes
    ----------
    frame : DataFrame
        What was made last.
    """

    def __init__(
        self,
        table: Path | None,
        retrying: Retrying,
        hold_back: Names[str] = (),
        without: Names[str] = (),
    ) -> None:
        self._retrying = retrying
        self._without = list(without)
        self._read: dict[str, bytes] = {}
        self._own = b"" if table is None else _without_held_back(table, hold_back)
        self.frame = pl.read_parquet(self._own) if self._own else pl.DataFrame()

    def file(self, head: Head) -> LocalFile:
        """Return the table that has the rows of both; where both have a model, ours.

        Raises
        ------
        HubError
            If the one there is no table of models.
        """
        there = self._there(head)
        if there is None:
            return LocalFile.of(REGISTRY_PLACE, self._own)
        theirs = _read(there, f"{head.repository}/{REGISTRY_PLACE}")
        ours = pl.read_parquet(self._own) if self._own else theirs.clear()
        try:
            rest = theirs.join(ours, on=KEY, how="anti")
            joined = pl.concat([rest, ours], how="diagonal_relaxed")
        except pl.exceptions.PolarsError as error:
            raise HubError(
                f"{head.repository}/{REGISTRY_PLACE}: does not join to this collection's table of "
                f"models ({error}). Move it away there, or publish to another `hub.namespace`."
            ) from None
        joined = joined.filter(~pl.col(KEY).is_in(self._without)).sort(KEY)
        self.frame = joined
        # The same rows are the same file, whoever wrote it.
        if self._own and _same(joined, ours):
            return LocalFile.of(REGISTRY_PLACE, self._own)
        if _same(joined, theirs):
            return LocalFile.of(REGISTRY_PLACE, there)
        return LocalFile.of(REGISTRY_PLACE, _written(joined))

    def _there(self, head: Head) -> bytes | None:
        if (known := head.files.get(REGISTRY_PLACE)) is None:
            return None
        if known.oid not in self._read:
            repository = Repository(head.repository, head.commit)
            content = repository.last_bytes(REGISTRY_PLACE, known.size, self._retrying)
            self._read[known.oid] = content
        return self._read[known.oid]


def _without_held_back(table: Path, hold_back: Names[str]) -> bytes:
    frame, content = read_table(table), table.read_bytes()
    if "license" not in frame.columns:
        return content
    kept = frame.filter(~pl.col("license").fill_null("unstated").is_in(list(hold_back)))
    return content if kept.height == frame.height else _written(kept)


def _read(content: bytes, where: str) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(content)
        names = frame[KEY]
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise HubError(f"{where}: is no table of models ({error}). Move it away there.") from None
    if names.null_count() or names.n_unique() < len(names):
        raise HubError(f"{where}: has rows without a model, or twice. Move it away there.")
    return frame


def _same(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    return one.schema == other.schema and one.sort(KEY).equals(other.sort(KEY))


def _written(frame: pl.DataFrame) -> bytes:
    content = io.BytesIO()
    frame.write_parquet(content)
    return content.getvalue()
