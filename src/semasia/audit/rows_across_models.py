"""Hold the shards of one split to one another: same ids, same labels, same inputs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from semasia.audit.finding import RowDigests, ShardRecord
from semasia.errors import SemasiaError
from semasia.latents.shard_file import ShardFile


def compare_rows(records: Iterable[ShardRecord]) -> None:
    """Note, in every shard that differs from the others of its split, from which and in what.

    The reference is what most models have; between equally many, what more sound shards have. If
    that does not tell either, both sides are noted, for nothing in the shards says which is right.
    Shards that lie in another's place or whose ids or labels cannot be read are left out.

    Parameters
    ----------
    records : iterable of ShardRecord
        Findings are added in place, under the check ``across``.
    """
    splits: dict[tuple[str, ...], list[ShardRecord]] = defaultdict(list)
    for record in records:
        if record.digests is not None and not record.failed("place"):
            splits[record.layout, record.benchmark, record.split].append(record)
    for shards in splits.values():
        _compare(shards)


def _compare(shards: Sequence[ShardRecord]) -> None:
    sides: dict[RowDigests, list[ShardRecord]] = defaultdict(list)
    for shard in shards:
        if shard.digests is not None:
            sides[shard.digests].append(shard)
    if len(sides) < 2:
        return

    def weight(side: list[ShardRecord]) -> tuple[int, int]:
        return len(side), sum(s.sound for s in side)

    # Weighed before anything is noted, which makes shards unsound.
    ranked = sorted(((weight(side), side) for side in sides.values()), key=lambda w: w[0])
    highest, majority = ranked[-1]
    tied = [side for weighed, side in ranked if weighed == highest]
    reference = majority[0]
    told = f"{len(majority)} of {len(shards)} models have the same rows"
    for _, side in ranked[:-1]:
        for shard in side:
            doubt = ""
            if side in tied:
                doubt = "; as many models are on either side, so one of them may be right"
            shard.note("across", f"{_difference(shard, reference)} ({told}{doubt}).")
    if len(tied) > 1:
        other = tied[0][0]
        for shard in majority:
            shard.note(
                "across",
                f"{_difference(shard, other)} (as many models are on either side: which is right "
                "cannot be told from the shards).",
            )


def _difference(shard: ShardRecord, reference: ShardRecord) -> str:
    found, known = shard.digests, reference.digests
    assert found is not None and known is not None
    whose = f"those of {reference.model}"
    try:
        if found.ids != known.ids:
            return f"ids are not {whose}: {_ids_differ(_column(shard, 'id'), reference)}"
        names, wanted = dict(found.labels), dict(known.labels)
        if list(names) != list(wanted):
            return (
                f"label columns are not {whose}: {', '.join(names) or 'none'}, not "
                f"{', '.join(wanted) or 'none'}"
            )
        for column, digest in names.items():
            if digest != wanted[column]:
                return f"labels are not {whose}: {_labels_differ(column, shard, reference)}"
    except SemasiaError as error:
        return f"rows are not {whose} ({error})"
    return (
        f"made from other inputs than {whose}: fingerprint {found.fingerprint}, not "
        f"{known.fingerprint}"
    )


def _ids_differ(ids: np.ndarray, reference: ShardRecord) -> str:
    wanted = _column(reference, "id")
    told = []
    for what, values in (
        ("missing", np.setdiff1d(wanted, ids)),
        ("not there", np.setdiff1d(ids, wanted)),
    ):
        if len(values):
            shown = ", ".join(map(str, values[:5])) + (", …" if len(values) > 5 else "")
            told.append(f"{what}: {shown} ({len(values):,})")
    if not told and len(ids) == len(wanted):
        row = np.flatnonzero(ids != wanted)[0]
        told.append(f"the same in another order, from row {row} on")
    return "; ".join(told) or "some are repeated"


def _labels_differ(column: str, shard: ShardRecord, reference: ShardRecord) -> str:
    found, wanted = _column(shard, column), _column(reference, column)
    differ = np.flatnonzero(found != wanted)
    row = differ[0]
    return (
        f"{column} of id {_column(shard, 'id')[row]} is {found[row]}, not {wanted[row]} "
        f"({len(differ):,} rows differ)"
    )


def _column(record: ShardRecord, name: str) -> np.ndarray:
    return np.concatenate([ShardFile(path).column(name) for path in record.files])
