"""What a shard says of itself, and which of its labels a probe can be fitted on."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

import numpy as np

from semasia.errors import SemasiaError, ShardError
from semasia.geometry.classes import values_that_occur
from semasia.inputs.cards import Probe
from semasia.latents import Shard
from semasia.latents.roots import Key
from semasia.rows import Opened, Rows


def shard_facts(shard: Shard) -> dict[str, Any]:
    """Return the first columns of a table's row: benchmark, split, model, rows and width."""
    known = shard.provenance["benchmark"]
    return {
        "benchmark": known["name"],
        "split": known["split"],
        "model_name": shard.model_name,
        "untrained": shard.provenance["encoder"]["untrained"],
        "rows": shard.rows,
        "source_rows": known["source_rows"],
        "latent_dim": shard.width,
    }


def unreadable_rows(columns: Mapping[str, type], key: Key, error: SemasiaError) -> Rows:
    """Return the row of a shard that cannot be measured: nulls, and a note that says why."""
    row: dict[str, Any] = dict.fromkeys(columns)
    row.update(zip(("benchmark", "model_name", "split"), key, strict=True))
    return [row | {"note": f"shard: {error}"}]


def why_no_probe(shard: Shard, wanted: Probe | None, fit: Opened | None) -> str | None:
    """Return why a shard cannot be probed, None where it can or is not the split to be."""
    if wanted is None:
        return "the benchmark's card names none."
    if shard.provenance["benchmark"]["split"] != wanted.score:
        return None
    if fit is None:
        return f"no latents of split {wanted.fit!r} to fit it on."
    if isinstance(fit, SemasiaError):
        return f"split {wanted.fit!r}, which it is fitted on: {fit}"
    if fit.width != shard.width:
        return (
            f"{fit.path} has vectors of {fit.width}, {shard.path} of {shard.width}; make both "
            "again."
        )
    for column in wanted.labels:
        for one in (shard, fit):
            try:
                check_label(one, column)
            except ShardError as error:
                return str(error)
        try:
            check_class_names(fit, shard, column)
        except ShardError as error:
            return str(error)
        if any(one.labels[column].min(initial=0) < 0 for one in (shard, fit)):
            return "labels are absent (−1)."
        if len(np.unique(fit.labels[column])) < 2:
            return f"all rows that it is fitted on have one {column!r}."
    return None


def class_labels(shard: Shard, probe: Probe | None) -> dict[str, np.ndarray]:
    """Return the label columns that a benchmark's probe predicts, those without absent labels."""
    columns = probe.labels if probe else ()
    for column in columns:
        check_label(shard, column)
    return {c: shard.labels[c] for c in columns if shard.labels[c].min(initial=0) >= 0}


def check_label(shard: Shard, column: str) -> None:
    """Raise a ShardError where a shard has no such label column."""
    if column not in shard.labels:
        raise ShardError(
            f"{shard.path}: has no label {column!r}, which the benchmark's probe predicts; it has "
            f"{', '.join(shard.label_columns) or 'none'}. Correct the card, or make it again."
        )


def check_class_names(one: Shard, other: Shard, column: str) -> None:
    """Raise a ShardError where a number stands for one class here and for another there."""
    names, others = (shard.label_names.get(column) for shard in (one, other))
    if names and others and names != others:
        pairs = enumerate(zip_longest(names, others))
        value, (ours, theirs) = next((i, pair) for i, pair in pairs if pair[0] != pair[1])
        raise ShardError(
            f"{one.path} and {other.path}: class {value} of {column!r} is {ours!r} in the first "
            f"and {theirs!r} in the second. Delete both and run again: a version that numbers all "
            "splits alike makes them anew."
        )


def class_counts(stated: Mapping[str, int], *labels: Mapping[str, np.ndarray]) -> dict[str, int]:
    """Return the number of classes of each column: what the card states, or what occurs."""
    counts = {}
    for column in labels[0]:
        values = np.concatenate([one[column] for one in labels])
        occurring = values_that_occur(values)
        found = int(values.max(initial=-1)) + 1 if occurring is None else len(occurring)
        counts[column] = max(stated[column], found)
    return counts
