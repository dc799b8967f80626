"""Provenance: everything that decides a shard's values, and nothing else.

No time, host, user or path enters, so that the same inputs give the same bytes on the same kind of
machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from semasia.inputs import PreparedSplit
from semasia.latents.schema import FORMAT
from semasia.recipes import EXTRACT
from semasia.versions import versions


def provenance_of(prepared: PreparedSplit, encoder: Mapping[str, Any]) -> dict[str, Any]:
    """Return the provenance of latents of a prepared split.

    Parameters
    ----------
    prepared : PreparedSplit
    encoder : mapping
        What :meth:`semasia.encoders.Encoder.describe` returns.

    Returns
    -------
    dict
        Plain JSON types. :func:`sealed` completes it once the shard is made.
    """
    facts = asdict(prepared.facts)
    benchmark = {
        "name": facts.pop("benchmark"),
        "split": facts.pop("split"),
        "rows": facts.pop("rows"),
        "source_rows": facts.pop("source_rows"),
        "fingerprint": facts.pop("fingerprint"),
        "source": {"kind": facts["source_kind"], **facts["origin"]},
        "selection": facts["selection"],
        "ids_sha256": digest_of_columns([prepared.ids]),
        "labels_sha256": digest_of_columns(prepared.labels.values()),
    }
    return {
        "format": FORMAT,
        "recipe": EXTRACT,
        "benchmark": benchmark,
        **encoder,
        "versions": versions(),
    }


def sealed(provenance: Mapping[str, Any], numerics: Mapping[str, Any]) -> dict[str, Any]:
    """Return provenance with how the work was cut, and ``run_key``: the SHA-256 of all the rest."""
    whole = {**provenance, "numerics": {**provenance["numerics"], **numerics}}
    return {**whole, "run_key": digest_of(whole)}


def digest_of(provenance: Mapping[str, Any]) -> str:
    """Return the SHA-256 of provenance, as 64 hex digits."""
    return hashlib.sha256(canonical(provenance)).hexdigest()


def digest_of_columns(columns: Iterable[np.ndarray]) -> str:
    """Return the SHA-256 over columns' little-endian bytes, column after column."""
    digest = hashlib.sha256()
    for column in columns:
        digest.update(np.ascontiguousarray(column.astype(column.dtype.newbyteorder("<"))).data)
    return digest.hexdigest()


def canonical(value: Any) -> bytes:
    """Return JSON bytes that are equal for equal values: sorted keys, no spaces, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()
