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


def _value(dtype: str) -> dict[str, str]:
    return {"dtype": dtype, "_type": "Value"}
