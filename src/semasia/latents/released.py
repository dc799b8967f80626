"""The original release's files: one model on one split in parts, without any provenance."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from semasia.errors import ShardError
from semasia.files import sha256_of_file
from semasia.latents.assembly import Assembly
from semasia.latents.checks import check_finite
from semasia.latents.provenance import digest_of_columns, sealed
from semasia.latents.schema import FEATURES_KEY, FORMAT, shard_schema
from semasia.latents.shard_file import ShardFile
from semasia.versions import versions

_FIXED = ("id", "model_name", "embedding")
# Nothing in the files tells which images they are of.
UNKNOWN = "unknown"


class Released:
    """One model on one split of the original release; ids, labels and names checked.

    Parameters
    ----------
    paths : sequence of Path
        The parts, in order.
    model : str
    card : str, optional
        README.md of their repository, which names the classes.

    Attributes
    ----------
    rows, width : int
    label_names : dict
        Class names per label column, or None.

    Raises
    ------
    ShardError
        If a part cannot be read, lacks a column, is of another model, or rows are not in the order
        of their ids.
    """

    def __init__(self, paths: Sequence[Path], model: str, card: str | None = None) -> None:
        self.paths = tuple(paths)
        self.model = model
        self._files = [ShardFile(path) for path in paths]
        first = self._files[0]
        self._columns = [c for c in first.schema.names if c not in _FIXED]
        for file in self._files:
            self._check(file)
        self.rows = sum(file.rows for file in self._files)
        self.width = first.width()
        described = _features(first) or _features_of_card(card)
        self.label_names = {c: described.get(c) for c in self._columns}

    @cached_property
    def ids(self) -> np.ndarray:
        """(n,) uint32, strictly increasing."""
        ids = np.concatenate([file.column("id") for file in self._files]).astype(np.int64)
        if len(ids) and (np.any(np.diff(ids) <= 0) or ids[0] < 0 or ids[-1] >= 2**32):
            raise ShardError(f"{self.paths[0]}: ids of the parts are not strictly increasing.")
        return ids.astype(np.uint32)

    @cached_property
    def labels(self) -> dict[str, np.ndarray]:
        """(n,) int64 per label column."""
        return {
            c: np.concatenate([file.column(c) for file in self._files]).astype(np.int64)
            for c in self._columns
        }

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield (rows, width) float32 latents in order.

        Raises
        ------
        ShardError
            If a block is damaged or a value is not finite.
        """
        before = 0
        for file in self._files:
            for start, block in file.blocks(self.width):
                values = np.ascontiguousarray(block, np.float32)
                at = before + start
                check_finite(file.path, values, self.ids[at : at + len(values)], at)
                yield values
            before += file.rows

    def embeddings(self) -> np.ndarray:
        """Return all latents, (n, width) float32."""
        result = np.empty((self.rows, self.width), np.float32)
        start = 0
        for block in self.blocks():
            result[start : start + len(block)] = block
            start += len(block)
        return result

    def provenance(
        self,
        benchmark: str,
        split: str,
        source: Mapping[str, Any],
        stated: Mapping[str, Any],
        source_rows: int | None = None,
    ) -> dict[str, Any]:
        """Return what is known: whence it came, and which rows; not what it was made by.

        Parameters
        ----------
        benchmark, split : str
        source : mapping
            Repository and commit, or folder.
        stated : mapping
            What a registry states of the encoder, such as its licence.
        source_rows : int, optional
            Of the whole split, as a benchmark's card states them.
        """
        files = {path.name: sha256_of_file(path) for path in self.paths}
        whole = {
            "format": FORMAT,
            "recipe": None,
            "benchmark": {
                "name": benchmark,
                "split": split,
                "rows": self.rows,
                "source_rows": source_rows,
                "fingerprint": UNKNOWN,
                "source": {"kind": "released", **source, "files": files},
                "selection": None,
                "ids_sha256": digest_of_columns([self.ids]),
                "labels_sha256": digest_of_columns(self.labels.values()),
            },
            "encoder": {
                "license": "unstated",
                "untrained": False,
                **stated,
                "model_name": self.model,
                "width": self.width,
            },
            "numerics": {},
            "versions": versions(),
        }
        return sealed(whole, {})

    def write(self, path: Path, provenance: dict[str, Any]) -> None:
        """Write it as a shard of ours: the same values, in fixed-size lists."""
        schema = shard_schema(self.label_names, self.width)

        def table(start: int, block: np.ndarray) -> pa.Table:
            rows = slice(start, start + len(block))
            columns = [pa.array(self.ids[rows])]
            columns += [pa.array(values[rows]) for values in self.labels.values()]
            columns.append(pa.repeat(self.model, len(block)))
            flat = pa.array(block.reshape(-1))
            columns.append(pa.FixedSizeListArray.from_arrays(flat, self.width))
            return pa.table(columns, schema=schema)

        assembly = Assembly(path, self.width, table)
        try:
            for block in self.blocks():
                assembly.add(block)
            assembly.finish(provenance)
        finally:
            assembly.abandon()

    def _check(self, file: ShardFile) -> None:
        columns = check_released_columns(file)
        if columns != self._columns:
            raise ShardError(
                f"{file.path}: label columns are {', '.join(columns) or 'none'}, those of "
                f"{self.paths[0].name} are {', '.join(self._columns) or 'none'}."
            )
        for column in columns:
            kind = file.schema.field(column).type
            if not pa.types.is_integer(kind) and not pa.types.is_boolean(kind):
                raise ShardError(f"{file.path}: {column!r} is {kind}; whole numbers are needed.")
        check_released_model(file, self.model)


def check_released_columns(file: ShardFile) -> list[str]:
    """Return the label columns of a part, whose other columns have the release's types.

    Raises
    ------
    ShardError
        If a column is missing, stands twice, or is of another type.
    """
    names = file.schema.names
    if missing := [c for c in _FIXED if c not in names]:
        has = ", ".join(names)
        raise ShardError(f"{file.path}: has no column {missing[0]!r}; it has {has}.")
    if len(set(names)) < len(names):
        raise ShardError(f"{file.path}: repeats a column: {', '.join(names)}.")
    kind = file.schema.field("id").type
    if not pa.types.is_integer(kind):
        raise ShardError(f"{file.path}: 'id' is {kind}; whole numbers are needed.")
    kind = file.schema.field("embedding").type
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    if not any(is_(kind) for is_ in lists) or not pa.types.is_floating(kind.value_type):
        raise ShardError(f"{file.path}: 'embedding' is {kind}; lists of floats are needed.")
    return [c for c in names if c not in _FIXED]


def check_released_model(file: ShardFile, model: str) -> None:
    """Raise a ShardError where a part has rows of another model than its folder says."""
    other = [name for name in file.distinct("model_name") if name != model]
    if other:
        raise ShardError(
            f"{file.path}: column 'model_name' says {other[0]!r}, but the folder says {model!r}."
        )


def _features(file: ShardFile) -> dict[str, list[str]]:
    """Return the class names that a file's metadata for `datasets` has, by column."""
    try:
        features = json.loads(file.metadata[FEATURES_KEY])["info"]["features"]
        return {c: f["names"] for c, f in features.items() if f.get("_type") == "ClassLabel"}
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}


def _features_of_card(card: str | None) -> dict[str, list[str]]:
    """Return the class names that a card's `dataset_info` has, by column."""
    try:
        info = yaml.safe_load((card or "").split("---")[1])["dataset_info"]
        info = info[0] if isinstance(info, list) else info
        found = {}
        for feature in info["features"]:
            kind = feature.get("dtype")
            if isinstance(kind, dict) and "class_label" in kind:
                names = kind["class_label"]["names"]
                ordered = sorted(names, key=int) if isinstance(names, dict) else range(len(names))
                found[feature["name"]] = [names[key] for key in ordered]
        return found
    except (IndexError, KeyError, ValueError, TypeError, AttributeError, yaml.YAMLError):
        return {}
