"""Shards written, and damaged, without any part of the extraction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from semasia.inputs import PreparedSplit
from semasia.latents import provenance_of
from semasia.latents.encoding import SPLIT
from semasia.latents.provenance import canonical, digest_of_columns
from semasia.latents.schema import shard_schema

ROWS = 12
WIDTHS = {"a.x": 3, "b.y": 5, "c.z": 7}

Change = Callable[[pa.Table], pa.Table]
Verify = Callable[..., tuple[int, str]]


def described(name: str, width: int, **numerics: str) -> dict[str, Any]:
    """Return what an encoder would say of itself."""
    return {
        "encoder": {
            "model_name": name,
            "architecture": name.split(".")[0],
            "architecture_args": {},
            "weights": {"source": "random", "seed": 0, "sha256": "0" * 64},
            "width": width,
            "untrained": True,
        },
        "preprocessing": {"backend": "reference"},
        "numerics": {"stored": "float32", "compute": "float32", "device": "cpu", **numerics},
    }


def vectors(latents: np.ndarray) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(latents.reshape(-1)), latents.shape[1])


def write_shard(
    path: Path,
    prepared: PreparedSplit,
    encoder: Mapping[str, Any],
    latents: np.ndarray,
    group_rows: int = 5,
) -> None:
    """Write a sound shard of (n, width) float32 latents, several row groups long."""
    schema = shard_schema(prepared.facts.label_names, latents.shape[1])
    name = encoder["encoder"]["model_name"]
    table = pa.table(
        [
            pa.array(prepared.ids, pa.uint32()),
            *(pa.array(c, pa.int64()) for c in prepared.labels.values()),
            pa.repeat(name, len(prepared)),
            vectors(latents),
        ],
        schema=schema,
    )
    provenance = provenance_of(prepared, encoder)
    _write(path, table, _sealed(provenance, table), group_rows)


def rewritten(
    path: Path,
    change: Change = lambda table: table,
    provenance: Callable[[dict[str, Any]], None] = lambda provenance: None,
    *,
    seal: bool = False,
    run_key: bool = True,
) -> None:
    """Change a shard's table or provenance in place.

    `seal` gives all digests the values that the changed shard has; `run_key` that one alone.
    """
    file = pq.ParquetFile(path)
    known = json.loads(file.metadata.metadata[b"semasia"])
    table = change(file.read())
    provenance(known)
    if seal:
        known = _sealed(known, table)
    elif run_key:
        known["run_key"] = _run_key(known)
    _write(path, table, known, 5)


def replaced(name: str, values: Any) -> Change:
    return lambda t: t.set_column(t.schema.get_field_index(name), t.schema.field(name), values)


def altered(name: str, row: int, value: Any) -> Change:
    """Put another value into one row of a column."""

    def change(table: pa.Table) -> pa.Table:
        values = table[name].to_pylist()
        values[row] = value
        return replaced(name, pa.array(values, table[name].type))(table)

    return change


def revalued(change: Callable[[np.ndarray], None]) -> Change:
    """Change the (n, width) latents in place."""

    def on_table(table: pa.Table) -> pa.Table:
        latents = latents_of(table).copy()
        change(latents)
        return replaced("embedding", vectors(latents))(table)

    return on_table


def latents_of(table: pa.Table) -> np.ndarray:
    return table["embedding"].combine_chunks().flatten().to_numpy().reshape(table.num_rows, -1)


def write_released(
    folder: Path,
    model: str,
    latents: np.ndarray,
    labels: np.ndarray,
    *,
    part_rows: int = 5,
    change: Change = lambda table: table,
) -> None:
    """Write the parts of one model as the original collection has them, without metadata."""
    folder.mkdir(parents=True, exist_ok=True)
    table = change(
        pa.table(
            {
                "id": pa.array(np.arange(len(latents))),
                "label": pa.array(labels),
                "model_name": pa.repeat(model, len(latents)),
                "embedding": pa.array(latents.tolist(), pa.list_(pa.float32())),
            }
        )
    )
    for number, start in enumerate(range(0, table.num_rows, part_rows)):
        part = folder / f"part-{number:05d}.parquet"
        pq.write_table(table.slice(start, part_rows), part)


def _sealed(provenance: dict[str, Any], table: pa.Table) -> dict[str, Any]:
    labels = [c for c in table.schema.names if c not in ("id", "model_name", "embedding")]
    known = {**provenance, "benchmark": dict(provenance["benchmark"])}
    known["benchmark"]["rows"] = table.num_rows
    known["benchmark"]["ids_sha256"] = digest_of_columns([table["id"].to_numpy()])
    known["benchmark"]["labels_sha256"] = digest_of_columns(table[c].to_numpy() for c in labels)
    known["embedding_sha256"] = hashlib.sha256(latents_of(table).tobytes()).hexdigest()
    known["run_key"] = _run_key(known)
    return known


def _run_key(provenance: Mapping[str, Any]) -> str:
    hashed = {k: v for k, v in provenance.items() if k not in ("run_key", "embedding_sha256")}
    return hashlib.sha256(canonical(hashed)).hexdigest()


def _write(path: Path, table: pa.Table, provenance: Mapping[str, Any], group_rows: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with pq.ParquetWriter(path, table.schema, **SPLIT) as writer:
        writer.write_table(table, group_rows)
        writer.add_key_value_metadata({b"semasia": json.dumps(provenance).encode()})
