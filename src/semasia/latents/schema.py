"""The shard's columns, its metadata keys and its encoding."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

# Raise when a reader of an older version would misread a shard.
FORMAT = 1

PROVENANCE_KEY = b"semasia"
FEATURES_KEY = b"huggingface"

# Target size of a row group's embeddings: small enough to stream and to fetch a few rows from a
# remote file, large enough that reading it in order runs at full speed.
_ROW_GROUP_BYTES = 32 << 20

# Chosen by measurement: see docs/data-format.md.
PARQUET_OPTIONS: dict[str, Any] = {
    "compression": "zstd",
    "compression_level": 3,
    "use_dictionary": ["model_name"],
    "use_byte_stream_split": ["embedding.list.element"],
    "write_statistics": ["id"],
    "data_page_version": "1.0",
    "version": "2.6",
}


def shard_schema(label_names: Mapping[str, Sequence[str] | None], width: int) -> pa.Schema:
    """Return the Arrow schema of a shard, with the metadata that `datasets` restores features from.

    Parameters
    ----------
    label_names : mapping
        Class names per label column, None where the source has none; order is kept.
    width : int
        Length of the embedding vectors.
    """
    # Nullable, though no value ever is null: `datasets` ignores its features on other fields.
    fields = [pa.field("id", pa.uint32())]
    fields += [pa.field(c, pa.int64()) for c in label_names]
    fields += [
        pa.field("model_name", pa.string()),
        pa.field("embedding", pa.list_(pa.float32(), width)),
    ]
    features: dict[str, Any] = {"id": _value("uint32")}
    for column, names in label_names.items():
        features[column] = (
            {"names": list(names), "_type": "ClassLabel"} if names else _value("int64")
        )
    features["model_name"] = _value("string")
    # "Sequence" with a length reads as a fixed-size list in every release of `datasets` since 3.6.
    features["embedding"] = {"feature": _value("float32"), "length": width, "_type": "Sequence"}
    info = {"info": {"features": features}}
    return pa.schema(fields, metadata={FEATURES_KEY: json.dumps(info)})


def row_group_rows(width: int) -> int:
    """Return the rows per row group for vectors of ``width`` float32: a power of two."""
    return 1 << max(6, (_ROW_GROUP_BYTES // (4 * width)).bit_length() - 1)


def _value(dtype: str) -> dict[str, str]:
    return {"dtype": dtype, "_type": "Value"}
