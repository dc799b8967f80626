"""Which rows two models are compared on: joined by id, and the same inputs for every model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from semasia.errors import ComparisonError
from semasia.inputs.selection import select_rows
from semasia.latents import Shard
from semasia.latents.provenance import digest_of_columns
from semasia.rows import Opened

# Ids that an error names.
_NAMED = 5


class PairedRows(NamedTuple):
    """Rows of two shards that are of the same input, in ascending order of ids.

    Attributes
    ----------
    ids : (n,) array
    first, second : (n,) int64 array
        Position of each id in the first shard, and in the second.
    """

    ids: np.ndarray
    first: np.ndarray
    second: np.ndarray


def paired_rows(a: Shard, b: Shard) -> PairedRows:
    """Join two shards by id.

    Raises
    ------
    ComparisonError
        If the shards are of different splits, their sets of ids differ, an id stands twice, or a
        label column that both have gives an id two labels. The message names both files, how many
        ids, and the first of them.
    """
    for what in ("name", "split"):
        found = [shard.provenance["benchmark"][what] for shard in (a, b)]
        if found[0] != found[1]:
            raise ComparisonError(
                f"{a.path} and {b.path}: the benchmark's {what} is {found[0]!r} in the first and "
                f"{found[1]!r} in the second; only latents of the same inputs are compared."
            )
    first, second = _ordered(a), _ordered(b)
    ids = a.ids[first]
    if not np.array_equal(ids, b.ids[second]):
        only = [np.setdiff1d(x.ids, y.ids) for x, y in ((a, b), (b, a))]
        raise ComparisonError(
            f"{a.path} and {b.path}: the ids differ; only the first has {_listed(only[0])}, only "
            f"the second has {_listed(only[1])}. Build both from one prepared split."
        )
    for column in a.label_columns:
        if column in b.label_columns:
            differ = ids[a.labels[column][first] != b.labels[column][second]]
            if len(differ):
                raise ComparisonError(
                    f"{a.path} and {b.path}: labels in {column!r} differ for {_listed(differ)}. "
                    "Build both from one prepared split."
                )
    return PairedRows(ids, first, second)


@dataclass(frozen=True)
class Anchor:
    """The inputs that models are compared on.

    Attributes
    ----------
    ids : (r,) array
        Their ids, ascending.
    total : int
        Rows of the split that they are chosen from.
    """

    ids: np.ndarray
    total: int

    @classmethod
    def of(cls, ids: np.ndarray, rows: int | None = None) -> Anchor:
        """Choose ``rows`` of a split's inputs by the hash of their ids; None takes all.

        The choice is the one of a capped split that is not stratified: a function of the ids
        alone, the same for every model and on every machine.

        Parameters
        ----------
        ids : (n,) array of distinct unsigned integers
        rows : int, optional

        Raises
        ------
        ComparisonError
            If fewer than one row is asked for.
        """
        if rows is not None and rows < 1:
            raise ComparisonError(f"an anchor has one row or more; {rows} were asked for.")
        ids = np.sort(ids)
        return cls(ids[select_rows(ids, None, len(ids) if rows is None else rows)], len(ids))

    @property
    def rows(self) -> int:
        return len(self.ids)

    @property
    def key(self) -> str:
        """What stands for the choice in the key of a result: ``all``, or how many and a digest."""
        if self.rows == self.total:
            return "all"
        return f"{self.rows} of {self.total}, {digest_of_columns([self.ids])[:12]}"

    def positions(self, ids: np.ndarray, name: str | Path = "the ids") -> np.ndarray:
        """Return where the anchor's ids are in others, in the order of the anchor.

        Raises
        ------
        ComparisonError
            If one of them is missing; the message begins with ``name``.
        """
        order = np.argsort(ids, kind="stable")
        places = np.searchsorted(ids[order], self.ids)
        there = places < len(ids)
        there[there] = ids[order][places[there]] == self.ids[there]
        if not there.all():
            raise ComparisonError(f"{name}: has no row for {_listed(self.ids[~there])}.")
        return order[places]


def reference_of(shards: Iterable[Opened]) -> Shard | None:
    """Return a shard that has the rows that most have, the first of those; None if there is none.

    Parameters
    ----------
    shards : iterable of Shard or SemasiaError
    """
    rows: dict[tuple[str, ...], list[Shard]] = {}
    for shard in shards:
        if isinstance(shard, Shard):
            benchmark = shard.provenance["benchmark"]
            digests = ("name", "split", "ids_sha256", "labels_sha256")
            rows.setdefault(tuple(benchmark[key] for key in digests), []).append(shard)
    return max(rows.values(), key=len)[0] if rows else None


def anchored_embeddings(shard: Shard, anchor: Anchor, reference: Shard) -> np.ndarray:
    """Load the latents of a shard on an anchor, after pairing it with the shard of the anchor.

    Memory is 4 r d bytes for r rows of width d in float32, and one row group of the shard. All of
    its values are held to their digest: see :meth:`semasia.latents.Shard.blocks`.

    Returns
    -------
    (r, d) array
        In the floating type that the shard holds.

    Raises
    ------
    ComparisonError
        As :func:`paired_rows` and :meth:`Anchor.positions`.
    ShardError
        If the shard is damaged.
    """
    paired_rows(reference, shard)
    return rows_at(shard.blocks(), anchor.positions(shard.ids, shard.path), shard.width)


def rows_at(blocks: Iterable[np.ndarray], positions: np.ndarray, width: int) -> np.ndarray:
    """Return rows of a matrix that comes in blocks of float16, float32 or float64.

    Parameters
    ----------
    blocks : iterable of (b, width) float arrays
    positions : (r,) int64 array
        In any order.
    width : int

    Returns
    -------
    (r, width) array
        In the type of the blocks.
    """
    order = np.argsort(positions, kind="stable")
    ascending = positions[order]
    result = np.empty((len(positions), width), np.float32)
    start = filled = 0
    for block in blocks:
        if start == 0 and block.dtype != result.dtype:
            result = np.empty(result.shape, block.dtype)
        end = start + len(block)
        stop = int(np.searchsorted(ascending, end))
        result[order[filled:stop]] = block[ascending[filled:stop] - start]
        start, filled = end, stop
    return result


def _ordered(shard: Shard) -> np.ndarray:
    """Return the order that makes a shard's ids ascend."""
    order = np.argsort(shard.ids, kind="stable")
    ids = shard.ids[order]
    twice = ids[1:][ids[1:] == ids[:-1]]
    if len(twice):
        raise ComparisonError(f"{shard.path}: more than one row has {_listed(twice)}.")
    return order


def _listed(ids: np.ndarray) -> str:
    """Return how many ids there are and the first of them."""
    if not len(ids):
        return "0 ids"
    named = ", ".join(map(str, ids[:_NAMED])) + (", …" if len(ids) > _NAMED else "")
    return f"{len(ids):,} ids ({named})"
