"""Hold one shard with provenance to its provenance, its place, its inputs and the registry."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from semasia.audit.discovery import Found
from semasia.audit.finding import RowDigests, ShardRecord
from semasia.audit.references import InputsAtHand, KnownWidth, width_refusal
from semasia.errors import SemasiaError, ShardError
from semasia.inputs import PreparedSplit
from semasia.latents.checks import (
    check_columns,
    check_finite,
    check_ids,
    check_inputs,
    check_labels,
    irregularity,
    read_label_names,
    read_provenance,
)
from semasia.latents.provenance import digest_of_columns
from semasia.latents.shard_file import ShardFile


def check_shard(
    found: Found, inputs: InputsAtHand, widths: Mapping[str, KnownWidth]
) -> ShardRecord:
    """Check one shard that has, or should have, provenance; every problem is noted, none raised.

    A file that cannot be opened, or whose provenance or columns are unsound, is looked at no
    further. Everything else is checked independently, so that all problems are told at once.

    Parameters
    ----------
    found : Found
    inputs : InputsAtHand
    widths : mapping of str to KnownWidth

    Returns
    -------
    ShardRecord
    """
    record = ShardRecord(found.path, found.files, "semasia")
    if found.place:
        record.model, record.split = found.place.model, found.place.split
        record.benchmark = found.place.benchmark or "?"
    if found.astray:
        record.note("place", "lies among shards, but not at benchmark/model/split.parquet.")
    try:
        file = ShardFile(found.path)
        record.rows = file.rows
    except ShardError as error:
        record.note("file", str(error))
        return record
    try:
        provenance = read_provenance(found.path, file.metadata)
    except ShardError as error:
        record.note("provenance", str(error))
        return record
    _name(record, found, provenance)
    with record.noting("schema"):
        width = _width_of(file)
        labels = check_columns(found.path, file.schema, width)
        names = read_label_names(found.path, file.metadata, file.schema.names, labels)
        record.label_names = {c: tuple(n) for c, n in names.items() if n}
    if record.failed("schema"):
        return record
    _check_width(record, provenance, width, widths)
    with record.noting("model"):
        _check_model(file, provenance["encoder"]["model_name"])
    known = provenance["benchmark"]
    expected = inputs.of(found.path, known["name"], known["split"])
    _check_rows(record, file, provenance, labels, expected)
    _check_vectors(record, file, provenance["embedding_sha256"], width)
    return record


def _width_of(file: ShardFile) -> int:
    """Return the width that the column's type says; any number where it says none."""
    if "embedding" in file.schema.names:
        kind = file.schema.field("embedding").type
        if pa.types.is_fixed_size_list(kind):
            return kind.list_size
    return 0


def _name(record: ShardRecord, found: Found, provenance: Mapping[str, Any]) -> None:
    """Compare the path with provenance, and fill in what the path does not say."""
    known = provenance["benchmark"]
    says = (known["name"], provenance["encoder"]["model_name"], known["split"])
    place = found.place or (None, None, None)
    for what, wanted, is_ in zip(("benchmark", "model", "split"), place, says, strict=True):
        if wanted is None:
            setattr(record, what, is_)
        elif wanted != is_:
            record.note(
                "place",
                f"lies where {what} {wanted!r} belongs, but provenance says {is_!r}. Move it, or "
                "delete it and run again.",
            )


def _check_width(
    record: ShardRecord,
    provenance: Mapping[str, Any],
    width: int,
    widths: Mapping[str, KnownWidth],
) -> None:
    record.width = width
    encoder = provenance["encoder"]
    if width != encoder["width"]:
        record.note("width", f"vectors of {width}, but provenance says {encoder['width']}.")
        return
    refusal = width_refusal(
        widths, encoder["model_name"], encoder.get("architecture") or "?", width
    )
    if refusal:
        record.note("width", refusal)


def _check_model(file: ShardFile, name: str) -> None:
    other = [found for found in file.distinct("model_name") if found != name]
    if other:
        raise ShardError(f"column 'model_name' says {other[0]!r}, but provenance says {name!r}.")


def _check_rows(
    record: ShardRecord,
    file: ShardFile,
    provenance: Mapping[str, Any],
    columns: list[str],
    expected: PreparedSplit | None,
) -> None:
    known = provenance["benchmark"]
    ids: np.ndarray | None = None
    labels: dict[str, np.ndarray] | None = None
    with record.noting("rows"):
        if file.rows != known["rows"]:
            raise ShardError(f"{file.rows:,} rows, but provenance says {known['rows']:,}.")
    with record.noting("ids"):
        ids = file.column("id")
    with record.noting("labels"):
        labels = {c: file.column(c) for c in columns}
    if expected is not None:
        record.held_to_inputs = True
        with record.noting("inputs"):
            check_inputs(file.path, provenance, expected)
    if ids is None or labels is None:
        return
    if expected is not None and not record.failed("inputs"):
        with record.noting("ids"):
            check_ids(file.path, ids, expected)
        if not record.failed("ids"):
            with record.noting("labels"):
                check_labels(file.path, ids, labels, expected)
    record.digests = RowDigests(
        ids=digest_of_columns([ids]),
        labels=tuple((c, digest_of_columns([v])) for c, v in labels.items()),
        fingerprint=known["fingerprint"],
    )
    irregular = irregularity(ids).removeprefix("; ")
    if record.failed("ids"):
        return
    if record.digests.ids != known["ids_sha256"]:
        why = f" ({irregular})" if irregular else ""
        record.note("ids", f"are not those that were written{why}.")
    elif irregular:
        record.note("ids", f"{irregular}.")
    # Where rows are missing, labels are too: that says nothing new.
    if not record.failed("rows", "labels") and (
        digest_of_columns(labels.values()) != known["labels_sha256"]
    ):
        record.note("labels", "are not those that were written.")


def _check_vectors(record: ShardRecord, file: ShardFile, known: str, width: int) -> None:
    """Stream the vectors once; a value that is not finite leaves the digest to be told too."""
    digest = hashlib.sha256()
    rows = 0
    try:
        for start, block in file.blocks(width):
            digest.update(np.ascontiguousarray(block, "<f4").data)
            rows += len(block)
            if not record.failed("finite"):
                with record.noting("finite"):
                    check_finite(file.path, block, _ids(file, start, len(block)), start)
    except SemasiaError as error:
        record.note("file", str(error))
        return
    if rows != file.rows:
        record.note("file", f"holds {rows:,} vectors, but its footer says {file.rows:,} rows.")
    found = digest.hexdigest()
    if found != known:
        record.note(
            "checksum",
            f"vectors are not those that were written: their SHA-256 is {found}, provenance says "
            f"{known}.",
        )


def _ids(file: ShardFile, start: int, count: int) -> np.ndarray:
    """Return the ids of some rows for a message, their numbers where ids cannot be read."""
    try:
        return file.column("id")[start : start + count]
    except ShardError:
        return np.arange(start, start + count)
