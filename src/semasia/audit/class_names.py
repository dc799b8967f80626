"""Hold all shards of a benchmark to one another: a number stands for one class everywhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from semasia.audit.finding import ShardRecord


def compare_class_names(records: Iterable[ShardRecord]) -> None:
    """Note, in every shard whose class names are not those of its benchmark, where they differ.

    Across splits as much as across models: probes are fitted on one split and scored on another.
    The names that most shards have are the reference; between equally many both sides are noted.
    Shards without names, or in another's place, are left out.

    Parameters
    ----------
    records : iterable of ShardRecord
        Findings are added in place, under the check ``names``.
    """
    columns: dict[tuple[str, ...], list[ShardRecord]] = defaultdict(list)
    for record in records:
        if not record.failed("place", "schema"):
            for column in record.label_names:
                columns[record.layout, record.benchmark, column].append(record)
    for (_, _, column), shards in columns.items():
        _compare(column, shards)


def _compare(column: str, shards: Sequence[ShardRecord]) -> None:
    sides: dict[tuple[str, ...], list[ShardRecord]] = defaultdict(list)
    for shard in shards:
        sides[shard.label_names[column]].append(shard)
    if len(sides) < 2:
        return
    ranked = sorted(sides.values(), key=len)
    majority = ranked[-1]
    is_tied = len(ranked[-2]) == len(majority)
    for side in ranked if is_tied else ranked[:-1]:
        reference = (ranked[-2] if side is majority else majority)[0]
        for shard in side:
            shard.note("names", _difference(column, shard, reference))


def _difference(column: str, shard: ShardRecord, reference: ShardRecord) -> str:
    found, known = shard.label_names[column], reference.label_names[column]
    pairs = enumerate(zip_longest(found, known))
    value, (ours, theirs) = next((i, pair) for i, pair in pairs if pair[0] != pair[1])
    how = "in another order" if sorted(found) == sorted(known) else "others"
    return (
        f"class names of {column!r} are not those of {reference.model}, split {reference.split}, "
        f"but {how}: {value} stands for {ours!r} here and for {theirs!r} there. Correct the "
        "benchmark's source or card, and make the shards again."
    )
