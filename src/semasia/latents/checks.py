"""What a shard must satisfy to be read; a refusal names the file, what was found and the remedy."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from semasia.errors import RowMismatchError, ShardError
from semasia.inputs import PreparedSplit
from semasia.latents.provenance import canonical
from semasia.latents.schema import FEATURES_KEY, FORMAT, PROVENANCE_KEY

ADVICE = "Delete the shard and run again."

_FIXED = ("id", "model_name", "embedding")

# What the reader looks up, and what it must be.
_BENCHMARK = {
    "name": str,
    "split": str,
    "rows": int,
    "fingerprint": str,
    "ids_sha256": str,
    "labels_sha256": str,
}
_ENCODER = {"model_name": str, "width": int}


@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Turn whatever Arrow raises on damaged bytes into a ShardError that names the file."""
    try:
        yield
    except ShardError:
        raise
    except (OSError, ValueError, LookupError, pa.ArrowException) as error:
        raise ShardError(f"{path}: {what} cannot be read ({error}). {ADVICE}") from error


def read_provenance(path: Path, metadata: Mapping[bytes, bytes]) -> dict[str, Any]:
    """Return the provenance, complete and as it was written.

    Raises
    ------
    ShardError
        If it is missing, of a newer format, partial, or differs from its own ``run_key``.
    """
    if PROVENANCE_KEY not in metadata:
        raise ShardError(f"{path}: is a Parquet file without Semasia's provenance. {ADVICE}")
    try:
        provenance = json.loads(metadata[PROVENANCE_KEY])
        known = provenance["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise ShardError(f"{path}: its provenance cannot be read ({error!r}). {ADVICE}") from error
    if not isinstance(known, int) or known > FORMAT:
        raise ShardError(
            f"{path}: is of format {known}, and this version reads up to {FORMAT}; update semasia."
        )
    _require(path, "provenance", provenance, {"embedding_sha256": str, "run_key": str})
    _require(path, "provenance.benchmark", provenance.get("benchmark"), _BENCHMARK)
    _require(path, "provenance.encoder", provenance.get("encoder"), _ENCODER)
    hashed = {k: v for k, v in provenance.items() if k not in ("run_key", "embedding_sha256")}
    found = hashlib.sha256(canonical(hashed)).hexdigest()
    if found != provenance["run_key"]:
        raise ShardError(
            f"{path}: provenance is not what was written: its SHA-256 is {found}, "
            f"its run_key {provenance['run_key']}. {ADVICE}"
        )
    return provenance


def check_columns(path: Path, schema: pa.Schema, width: int) -> list[str]:
    """Return the label columns, all columns having the types of a shard.

    Parameters
    ----------
    schema : pyarrow.Schema
        As found in the file.
    width : int
        As provenance says.
    """
    missing = [c for c in _FIXED if c not in schema.names]
    if missing:
        raise ShardError(
            f"{path}: has no column {missing[0]!r}; it has {', '.join(schema.names)}. {ADVICE}"
        )
    if len(set(schema.names)) < len(schema.names):
        raise ShardError(f"{path}: repeats a column: {', '.join(schema.names)}. {ADVICE}")
    labels = [c for c in schema.names if c not in _FIXED]
    for column, wanted in {"id": pa.uint32(), **dict.fromkeys(labels, pa.int64())}.items():
        if schema.field(column).type != wanted:
            raise ShardError(
                f"{path}: {column!r} is {schema.field(column).type}; {wanted} is needed. {ADVICE}"
            )
    kind = schema.field("embedding").type
    if not pa.types.is_fixed_size_list(kind) or kind.value_type != pa.float32():
        raise ShardError(f"{path}: `embedding` is {kind}; fixed-size float32 is needed. {ADVICE}")
    if kind.list_size != width:
        raise ShardError(
            f"{path}: vectors of {kind.list_size}, but provenance says {width}. {ADVICE}"
        )
    return labels


def read_label_names(
    path: Path, metadata: Mapping[bytes, bytes], columns: Sequence[str], labels: Sequence[str]
) -> dict[str, list[str] | None]:
    """Return the class names per label column.

    No digest covers them, but a shard holds them twice: under their own key and in Arrow's schema.
    """
    key = FEATURES_KEY.decode()
    with reading(path, f"the metadata key {key!r}"):
        raw = metadata[FEATURES_KEY]
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(metadata[b"ARROW:schema"])))
        features = json.loads(raw)
    try:
        features = features["info"]["features"]
        described = list(features)
        names = {c: features[c].get("names") for c in labels}
    except (KeyError, TypeError, AttributeError) as error:
        raise ShardError(
            f"{path}: the metadata key {key!r} does not describe the label columns {error!r}. "
            f"{ADVICE}"
        ) from error
    if described != list(columns) or (schema.metadata or {}).get(FEATURES_KEY) != raw:
        raise ShardError(
            f"{path}: the metadata key {key!r} (columns {', '.join(described)}) does not agree "
            f"with the schema (columns {', '.join(columns)}). {ADVICE}"
        )
    return names


def check_asked_for(
    path: Path, provenance: Mapping[str, Any], benchmark: str, model: str, split: str
) -> None:
    """Refuse a shard that lies where another belongs."""
    known = provenance["benchmark"]
    found = (known["name"], provenance["encoder"]["model_name"], known["split"])
    for what, is_, wanted in zip(
        ("benchmark", "model", "split"), found, (benchmark, model, split), strict=True
    ):
        if is_ != wanted:
            raise ShardError(
                f"{path}: provenance says {what} {is_!r}, but {wanted!r} was asked for; the file "
                f"lies in the wrong place. {ADVICE}"
            )


def check_inputs(path: Path, provenance: Mapping[str, Any], expected: PreparedSplit) -> None:
    """Refuse a shard that was computed from other inputs than the prepared ones."""
    known, facts = provenance["benchmark"], expected.facts
    for what, found, wanted in (
        ("benchmark", known["name"], facts.benchmark),
        ("split", known["split"], facts.split),
        ("input fingerprint", known["fingerprint"], facts.fingerprint),
    ):
        if found != wanted:
            raise RowMismatchError(
                f"{path}: provenance says {what} {found!r}, but the prepared "
                f"{facts.benchmark}/{facts.split} has {wanted!r}. {ADVICE}"
            )


def check_ids(path: Path, ids: np.ndarray, expected: PreparedSplit) -> None:
    """Compare (n,) ids with the benchmark's."""
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
    raise RowMismatchError(f"{found}{irregularity(ids)}. {ADVICE}")


def check_labels(
    path: Path, ids: np.ndarray, labels: Mapping[str, np.ndarray], expected: PreparedSplit
) -> None:
    """Compare the label columns, their names, order and values, with the benchmark's."""
    if list(labels) != list(expected.labels):
        raise RowMismatchError(
            f"{path}: label columns are {', '.join(labels) or 'none'}, but the benchmark has "
            f"{', '.join(expected.labels) or 'none'}. {ADVICE}"
        )
    for column, values in labels.items():
        differ = np.flatnonzero(values != expected.labels[column])
        if len(differ):
            row = differ[0]
            raise RowMismatchError(
                f"{path}: {column} of id {ids[row]} is {values[row]}, but the benchmark says "
                f"{expected.labels[column][row]} ({len(differ):,} rows differ). {ADVICE}"
            )


def check_whole(path: Path, column: str, nulls: int, found: int, wanted: int) -> None:
    """Refuse nulls, and another number of values than wanted."""
    if nulls:
        raise ShardError(f"{path}: column {column!r} has {nulls:,} nulls; none may be. {ADVICE}")
    if found != wanted:
        raise ShardError(
            f"{path}: column {column!r} has {found:,} values, not {wanted:,}. {ADVICE}"
        )


def check_finite(path: Path, block: np.ndarray, ids: np.ndarray, start: int) -> None:
    """Refuse a (rows, width) block with NaN or infinity; it has these (rows,) ids from start on."""
    # A sum is finite only if every term is, up to overflow, which the slow path tells apart.
    with np.errstate(invalid="ignore", over="ignore"):
        total = np.add.reduce(block, axis=None, dtype=np.float64)
    if np.isfinite(total):
        return
    bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
    if len(bad):
        raise ShardError(
            f"{path}: the vector of id {ids[bad[0]]} (row {start + bad[0]}) is not finite; "
            f"{len(bad)} such rows in this block. {ADVICE}"
        )


def irregularity(ids: np.ndarray) -> str:
    """Return what keeps ids from being strictly increasing, to append to a message."""
    values, counts = np.unique(ids, return_counts=True)
    again = values[counts > 1]
    if len(again):
        shown = ", ".join(map(str, again[:5]))
        return f"; ids repeated: {shown} ({len(again):,})"
    return "" if np.all(np.diff(ids.astype(np.int64)) > 0) else "; ids are not in order"


def _require(path: Path, where: str, found: Any, fields: Mapping[str, type]) -> None:
    for name, kind in fields.items():
        if not isinstance(found, dict) or type(found.get(name)) is not kind:
            raise ShardError(f"{path}: {where} has no {kind.__name__} {name!r}. {ADVICE}")
