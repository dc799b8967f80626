"""Shards are read wherever they lie: as made, as published, and as the original release has."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import semasia
from semasia.audit import verify
from semasia.errors import HubError, ShardError
from semasia.latents import Shard
from semasia.latents.released import Released

Write = Callable[..., np.ndarray]
CARD = """---
dataset_info:
  features:
  - name: id
    dtype: int64
  - name: label
    dtype:
      class_label:
        names:
          '0': zero
          '1': one
          '10': ten
          '2': two
---
Words.
"""


def release(folder: Path, shard: Shard, rows_per_part: int, **changes: pa.Array) -> Path:
    """Write a shard as the original release would; returns its repository's folder."""
    ids = shard.ids.astype(np.int64)
    columns = {
        "id": pa.array(ids),
        **{c: pa.array(v.astype(np.int16)) for c, v in shard.labels.items()},
        "model_name": pa.repeat(shard.model_name, shard.rows),
        "embedding": pa.array(list(shard.embeddings()), pa.list_(pa.float32())),
        **changes,
    }
    table = pa.table(columns)
    where = folder / "semasia-toy" / shard.provenance["benchmark"]["split"] / shard.model_name
    where.mkdir(parents=True, exist_ok=True)
    for part, start in enumerate(range(0, shard.rows, rows_per_part)):
        pq.write_table(table.slice(start, rows_per_part), where / f"part-{part:05d}.parquet")
    return folder / "semasia-toy"


@pytest.fixture
def shard(write: Write, tmp_path: Path) -> Shard:
    path = tmp_path / "results" / "latents" / "mnist_5k" / "tiny.seed0" / "test.parquet"
    write(path)
    return Shard(path)


def key_of(shard: Shard) -> tuple[str, str, str]:
    known = shard.provenance["benchmark"]
    return known["name"], shard.model_name, known["split"]


def test_a_published_repository_in_a_folder(shard: Shard, tmp_path: Path) -> None:
    benchmark, model, split = key_of(shard)
    root = tmp_path / f"semasia-{benchmark}"
    (root / "data" / model).mkdir(parents=True)
    shutil.copy(shard.path, root / "data" / model / f"{split}.parquet")
    found = semasia.load(benchmark, model, split, root=root)
    np.testing.assert_array_equal(found.embeddings, shard.embeddings())
    assert found.provenance == shard.provenance
    frame = semasia.scan(models=model, root=root).collect()
    assert frame["benchmark"].unique().to_list() == [benchmark]
    np.testing.assert_array_equal(frame["embedding"].to_numpy(), shard.embeddings())
    with pytest.raises(ShardError, match=f"Did you mean {model}"):
        semasia.load(benchmark, model + "x", split, root=root)
    with pytest.raises(ShardError, match="provenance says benchmark"):
        semasia.load("other", model, split, root=root)


@pytest.mark.parametrize("rows_per_part", [7, 10_000])
def test_the_original_release_in_a_folder(shard: Shard, tmp_path: Path, rows_per_part: int) -> None:
    benchmark, model, split = key_of(shard)
    root = release(tmp_path, shard, rows_per_part)
    found = semasia.load(benchmark, model, split, root=root)
    np.testing.assert_array_equal(found.embeddings, shard.embeddings())
    assert found.embeddings.dtype == np.float32 and found.ids.dtype == np.uint32
    np.testing.assert_array_equal(found.ids, shard.ids)
    for column, values in shard.labels.items():
        np.testing.assert_array_equal(found.labels[column], values)
    assert len(found.provenance["benchmark"]["source"]["files"]) == -(-shard.rows // rows_per_part)
    frame = semasia.scan(splits=split, root=root).sort("id").collect()
    assert frame.schema["embedding"] == pl.List(pl.Float32)
    np.testing.assert_array_equal(np.stack(frame["embedding"].to_list()), shard.embeddings())
    with pytest.raises(ShardError, match="original release, which has no provenance"):
        semasia.open_shard(benchmark, model, split, root=root)


def test_class_names_come_from_the_card(shard: Shard, tmp_path: Path) -> None:
    root = release(tmp_path, shard, 20)
    assert set(semasia.load(*key_of(shard), root=root).label_names.values()) == {None}
    (root / "README.md").write_text(CARD)
    names = semasia.load(*key_of(shard), root=root).label_names
    assert names["label"] == ["zero", "one", "two", "ten"]


def test_the_release_as_a_shard_of_ours(shard: Shard, tmp_path: Path) -> None:
    """It passes the audit, and gives the same values."""
    benchmark, model, split = key_of(shard)
    root = release(tmp_path, shard, 9)
    parts = sorted((root / split / model).iterdir())
    released = Released(parts, model)
    provenance = released.provenance(benchmark, split, {"repo": "a/b"}, {"license": "mit"})
    target = tmp_path / "made" / "latents" / benchmark / model / f"{split}.parquet"
    released.write(target, provenance)
    assert not verify([target]).findings
    made = Shard(target)
    np.testing.assert_array_equal(made.embeddings(), shard.embeddings())
    assert made.provenance["encoder"]["license"] == "mit"
    assert made.provenance["benchmark"]["ids_sha256"] == shard.provenance["benchmark"]["ids_sha256"]


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("id", lambda n: pa.array(np.arange(n)[::-1].copy()), "not strictly increasing"),
        ("id", lambda n: pa.array(np.arange(n) + 0.5), "'id' is double"),
        ("label", lambda n: pa.array(["a"] * n), "'label' is string"),
        ("model_name", lambda n: pa.array(["other"] * n), "model_name' says 'other'"),
        ("embedding", lambda n: pa.array([[1.0, np.nan]] * n, pa.list_(pa.float32())), "finite"),
        ("embedding", lambda n: pa.array([[1.0]] + [[1.0, 2.0]] * (n - 1)), "length"),
        ("embedding", lambda n: pa.array(np.arange(n)), "lists of floats"),
    ],
)
def test_a_release_that_is_wrong_is_one_clear_error(
    shard: Shard, tmp_path: Path, column: str, values: Callable[[int], pa.Array], message: str
) -> None:
    root = release(tmp_path, shard, 10_000, **{column: values(shard.rows)})
    with pytest.raises(ShardError, match=message):
        semasia.load(*key_of(shard), root=root)


@pytest.mark.parametrize("root", ["hf://models/a/b", "hf://datasets/a", "hf://datasets/a/b/c"])
def test_an_address_that_is_none(root: str) -> None:
    with pytest.raises(HubError, match="is no dataset repository: write hf://datasets/"):
        semasia.load("mnist", "m", "test", root=root)
