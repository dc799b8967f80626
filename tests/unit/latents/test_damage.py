"""A shard that is damaged, partial or another's is refused; never are altered values returned."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import semasia
from semasia.errors import RowMismatchError, ShardError
from semasia.inputs import PreparedSplit
from semasia.latents import Latents, Shard
from semasia.latents.provenance import canonical

Write = Callable[..., np.ndarray]


def rewritten(
    path: Path,
    table: Callable[[pa.Table], pa.Table] = lambda t: t,
    provenance: Callable[[dict[str, Any]], Any] = lambda p: p,
    *,
    seal: bool = True,
    **options: Any,
) -> None:
    """Change a shard's table or provenance; `seal` gives changed provenance its right run key."""
    file = pq.ParquetFile(path)
    known = json.loads(file.metadata.metadata[b"semasia"])
    changed = table(file.read())
    known = provenance(known)
    if seal and isinstance(known, dict):
        hashed = {k: v for k, v in known.items() if k not in ("run_key", "embedding_sha256")}
        known["run_key"] = hashlib.sha256(canonical(hashed)).hexdigest()
    path.unlink()
    with pq.ParquetWriter(path, changed.schema, **options) as writer:
        writer.write_table(changed)
        writer.add_key_value_metadata({b"semasia": json.dumps(known).encode()})


def replaced(name: str, values: Any) -> Callable[[pa.Table], pa.Table]:
    return lambda t: t.set_column(t.schema.get_field_index(name), name, values)


def vectors(latents: np.ndarray, nulls: np.ndarray | None = None) -> pa.Array:
    values = pa.array(latents.reshape(-1), mask=None if nulls is None else nulls.reshape(-1))
    return pa.FixedSizeListArray.from_arrays(values, latents.shape[1])


@pytest.mark.parametrize("group_rows", [64, 16], ids=["one group", "four groups"])
def test_latents_are_held_to_their_digest(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch, group_rows: int
) -> None:
    monkeypatch.setattr("semasia.latents.assembly.row_group_rows", lambda width: group_rows)
    path = tmp_path / "test.parquet"
    latents = write(path).copy()
    Shard(path).verify()
    written = hashlib.sha256(latents.astype("<f4").tobytes()).hexdigest()
    latents[30, 3] = np.nextafter(latents[30, 3], np.float32(9))
    found = hashlib.sha256(latents.astype("<f4").tobytes()).hexdigest()
    rewritten(path, replaced("embedding", vectors(latents)))
    for read in (Shard(path).verify, Shard(path).embeddings):
        with pytest.raises(ShardError, match=rf"{path}.*{found}.*provenance says {written}"):
            read()


@pytest.mark.parametrize("with_benchmark", [True, False], ids=["benchmark", "digests"])
@pytest.mark.parametrize("column", ["id", "label", "model_name"])
def test_nulls_are_refused(
    tmp_path: Path, prepared: PreparedSplit, write: Write, column: str, with_benchmark: bool
) -> None:
    path = tmp_path / "test.parquet"
    write(path)

    def punched(table: pa.Table) -> pa.Table:
        values = table[column].to_pylist()
        values[4] = None
        return replaced(column, pa.array(values, table[column].type))(table)

    rewritten(path, punched)
    with pytest.raises(ShardError, match=rf"{path}: column '{column}' has 1 nulls"):
        Shard(path, prepared if with_benchmark else None)


def test_nulls_among_latents_are_refused(tmp_path: Path, write: Write) -> None:
    path = tmp_path / "test.parquet"
    latents = write(path)
    rows = vectors(latents).to_pylist()
    rows[4] = None
    one = np.zeros(latents.shape, bool)
    one[4, 2] = True
    for values in (pa.array(rows, pa.list_(pa.float32(), 7)), vectors(latents, one)):
        rewritten(path, replaced("embedding", values))
        for read in (lambda: list(Shard(path).blocks()), Shard(path).verify):
            with pytest.raises(ShardError, match=rf"{path}: column 'embedding' has 1 nulls"):
                read()


def test_label_columns_are_the_benchmarks(
    tmp_path: Path, prepared: PreparedSplit, write: Write
) -> None:
    path = tmp_path / "test.parquet"
    write(path)

    def without(table: pa.Table) -> pa.Table:
        features = json.loads(table.schema.metadata[b"huggingface"])
        del features["info"]["features"]["label"]
        return table.drop(["label"]).replace_schema_metadata({"huggingface": json.dumps(features)})

    labels = dict(reversed({**prepared.labels, "coarse": prepared.labels["label"]}.items()))
    more = replace(prepared, labels=labels)
    with pytest.raises(RowMismatchError, match=r"columns are label, but .* has coarse, label"):
        Shard(path, more)
    rewritten(path, without)
    with pytest.raises(
        RowMismatchError, match=rf"{path}: .* are none, but the benchmark has label"
    ):
        Shard(path, prepared)
    with pytest.raises(RowMismatchError, match="label columns are not those that were written"):
        Shard(path)


@pytest.mark.parametrize(
    ("field", "name"),
    [("benchmark", "benchmark"), ("split", "split"), ("fingerprint", "input fingerprint")],
)
def test_inputs_are_the_prepared_ones(
    tmp_path: Path, prepared: PreparedSplit, write: Write, field: str, name: str
) -> None:
    path = tmp_path / "test.parquet"
    write(path)
    found = getattr(prepared.facts, field)
    other = replace(prepared, facts=replace(prepared.facts, **{field: "another"}))
    with pytest.raises(RowMismatchError, match=rf"{name} '{found}', but .* has 'another'"):
        Shard(path, other)


def test_every_model_name_is_the_provenances(tmp_path: Path, write: Write) -> None:
    path = tmp_path / "test.parquet"
    write(path)
    names = ["tiny.seed0"] * 49 + ["big.seed0"]
    for dictionary in (True, False):
        changed = replaced("model_name", pa.array(names))
        rewritten(path, changed, use_dictionary=dictionary)
        with pytest.raises(ShardError, match=r"says 'big\.seed0', but .* says 'tiny\.seed0'"):
            Shard(path)


def test_a_shard_in_anothers_place_is_refused(tmp_path: Path, write: Write) -> None:
    folder = tmp_path / "latents" / "mnist_5k"
    write(folder / "a.x" / "test.parquet", name="a.x")
    assert semasia.open_shard("mnist_5k", "a.x", "test", root=tmp_path).model_name == "a.x"
    for asked, what in (
        (("mnist_5k", "b.y", "test"), "model 'a.x', but 'b.y'"),
        (("mnist_5k", "a.x", "train"), "split 'test', but 'train'"),
        (("digits", "a.x", "test"), "benchmark 'mnist_5k', but 'digits'"),
    ):
        benchmark, model, split = asked
        path = tmp_path / "latents" / benchmark / model / f"{split}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "a.x" / "test.parquet", path)
        for read in (semasia.open_shard, semasia.load):
            with pytest.raises(ShardError, match=rf"{path}: provenance says {what} was asked for"):
                read(*asked, root=tmp_path)


PARTIAL = [
    ("encoder",), ("encoder", "model_name"), ("encoder", "width"), ("benchmark",),
    ("benchmark", "name"), ("benchmark", "split"), ("benchmark", "rows"),
    ("benchmark", "fingerprint"), ("benchmark", "ids_sha256"), ("benchmark", "labels_sha256"),
    ("embedding_sha256",), ("run_key",), ("format",),
]  # fmt: skip


@pytest.mark.parametrize("value", ["absent", None, [], 0.5])
@pytest.mark.parametrize("keys", PARTIAL, ids=".".join)
def test_partial_provenance_is_refused(
    tmp_path: Path, write: Write, keys: tuple[str, ...], value: Any
) -> None:
    path = tmp_path / "test.parquet"
    write(path)

    def partial(provenance: dict[str, Any]) -> dict[str, Any]:
        inner = provenance
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        if value == "absent":
            del inner[keys[-1]]
        return provenance

    rewritten(path, provenance=partial, seal=keys != ("run_key",))
    with pytest.raises(ShardError, match=rf"{path}: .*{keys[-1] if keys != ('format',) else ''}"):
        Shard(path)


@pytest.mark.parametrize("content", [None, 3, "text", [1]])
def test_provenance_that_is_no_mapping_is_refused(
    tmp_path: Path, write: Write, content: Any
) -> None:
    path = tmp_path / "test.parquet"
    write(path)
    rewritten(path, provenance=lambda _: content)
    with pytest.raises(ShardError, match=rf"{path}: its provenance cannot be read"):
        Shard(path)


def test_provenance_is_held_to_its_run_key(tmp_path: Path, write: Write) -> None:
    path = tmp_path / "test.parquet"
    write(path)
    rewritten(path, provenance=lambda p: {**p, "recipe": 99}, seal=False)
    with pytest.raises(ShardError, match=rf"{path}: provenance is not what was written"):
        Shard(path)


@pytest.mark.parametrize("text", ["{", "[]", '{"info": 1}', '{"info": {"features": {}}}', "\xff"])
def test_a_damaged_description_of_features_is_refused(
    tmp_path: Path, write: Write, text: str
) -> None:
    path = tmp_path / "test.parquet"
    write(path)
    raw = text.encode("latin-1")
    rewritten(path, lambda t: t.replace_schema_metadata({b"huggingface": raw}))
    with pytest.raises(ShardError, match=rf"{path}: the metadata key 'huggingface'"):
        Shard(path)
    rewritten(path, lambda t: t.replace_schema_metadata(None))
    with pytest.raises(ShardError, match=rf"{path}: the metadata key 'huggingface'"):
        Shard(path)


@pytest.mark.parametrize("column", ["id", "label", "model_name", "embedding.list.element"])
def test_a_rotten_page_names_file_column_and_remedy(
    tmp_path: Path, write: Write, column: str
) -> None:
    path = tmp_path / "test.parquet"
    write(path)
    group = pq.ParquetFile(path).metadata.row_group(0)
    chunks = [group.column(i) for i in range(group.num_columns)]
    [chunk] = [c for c in chunks if c.path_in_schema == column]
    raw = bytearray(path.read_bytes())
    stop = chunk.data_page_offset + chunk.total_compressed_size
    if chunk.has_dictionary_page:
        stop += chunk.dictionary_page_offset - chunk.data_page_offset
    raw[stop - 12 : stop] = b"\xff" * 12
    path.write_bytes(raw)
    name = column.split(".")[0]
    with pytest.raises(
        ShardError, match=rf"{path}: column '{name}'.* cannot be read .*Delete the shard and run"
    ):
        Shard(path).verify()


def same(found: Latents, original: Latents) -> bool:
    """Whether two loaded shards are equal to the bit."""
    return (
        found.embeddings.tobytes() == original.embeddings.tobytes()
        and found.ids.tobytes() == original.ids.tobytes()
        and list(found.labels) == list(original.labels)
        and all(found.labels[c].tobytes() == v.tobytes() for c, v in original.labels.items())
        and found.label_names == original.label_names
        and found.provenance == original.provenance
    )


@pytest.mark.parametrize("with_benchmark", [True, False], ids=["benchmark", "digests"])
def test_no_flipped_bit_alters_what_is_loaded(
    tmp_path: Path, write: Write, prepared_files: Path, with_benchmark: bool
) -> None:
    path = tmp_path / "latents" / "mnist_5k" / "a.x" / "test.parquet"
    write(path, name="a.x")
    if with_benchmark:
        shutil.copytree(prepared_files, tmp_path / "inputs" / "mnist_5k")

    def load() -> Latents:
        return semasia.load("mnist_5k", "a.x", "test", root=tmp_path)

    original, whole = load(), path.read_bytes()
    refused = 0
    for bit in np.random.default_rng(0).choice(8 * len(whole), 120, replace=False).tolist():
        raw = bytearray(whole)
        raw[bit // 8] ^= 1 << bit % 8
        path.unlink()
        path.write_bytes(raw)
        try:
            found = load()
        except ShardError as error:
            assert str(path) in str(error)
            refused += 1
        else:
            assert same(found, original), f"bit {bit} altered what was loaded"
    assert refused > 60


def test_scan_reads_a_root_with_brackets(tmp_path: Path, write: Write) -> None:
    root = tmp_path / "run[1]*"
    write(root / "latents" / "mnist_5k" / "a.x" / "test.parquet", name="a.x")
    assert semasia.scan(root=root).collect().height == 50


@pytest.mark.parametrize("junk", ["text", "empty", "foreign", "another id", "folder"])
def test_scan_names_what_is_no_shard(tmp_path: Path, write: Write, junk: str) -> None:
    folder = tmp_path / "latents" / "mnist_5k"
    write(folder / "a.x" / "test.parquet", name="a.x")
    path = folder / "b.y" / "test.parquet"
    path.parent.mkdir()
    if junk in ("text", "empty"):
        path.write_text("no" if junk == "text" else "")
    elif junk == "foreign":
        pq.write_table(pa.table({"x": [1.5]}), path)
    elif junk == "another id":
        table = pq.read_table(folder / "a.x" / "test.parquet")
        pq.write_table(replaced("id", table["id"].cast(pa.string()))(table), path)
    else:
        path.mkdir()
    with pytest.raises(ShardError) as caught:
        semasia.scan(root=tmp_path)
    assert str(caught.value).startswith(f"{path}: is no shard")
    assert semasia.scan(models="a.x", root=tmp_path).collect().height == 50
