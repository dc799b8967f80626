"""Each kind of damage is told under its word, with its file; the other shards are still checked."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semasia import audit
from semasia.audit import shard_checks
from semasia.errors import ShardError
from semasia.inputs import PreparedSplit
from semasia.latents.shard_file import ShardFile

from unit.audit.making import (
    ROWS,
    Verify,
    altered,
    described,
    replaced,
    revalued,
    rewritten,
    write_shard,
)


def flip(path: Path, column: str) -> None:
    """Flip one bit in the middle of a column's pages."""
    group = pq.ParquetFile(path).metadata.row_group(0)
    [chunk] = [
        c for c in (group.column(i) for i in range(group.num_columns)) if c.path_in_schema == column
    ]
    raw = bytearray(path.read_bytes())
    raw[chunk.data_page_offset + chunk.total_compressed_size - 3] ^= 1
    path.write_bytes(raw)


def text(path: Path) -> None:
    path.write_text("no Parquet")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def foreign(path: Path) -> None:
    pq.write_table(pa.table({"x": [1.5]}), path)


def edit(*keys: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(provenance: dict[str, Any]) -> None:
        for key in keys[:-1]:
            provenance = provenance[key]
        provenance[keys[-1]] = value

    return change


def swap(table: pa.Table) -> pa.Table:
    ids = table["id"].to_numpy().copy()
    ids[[3, 4]] = ids[[4, 3]]
    return replaced("id", pa.array(ids))(table)


def nan(latents: np.ndarray) -> None:
    latents[6, 1] = np.nan


def nudge(latents: np.ndarray) -> None:
    latents[6, 1] = np.nextafter(latents[6, 1], np.float32(9))


def widened(table: pa.Table) -> pa.Table:
    wide = pa.array(np.zeros(ROWS * 4, np.float32))
    at = table.schema.get_field_index("embedding")
    return table.set_column(at, "embedding", pa.FixedSizeListArray.from_arrays(wide, 4))


# What is done to b.y's shard, and the words it is told under.
DAMAGE: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "a bit of the vectors": (lambda p: flip(p, "embedding.list.element"), {"checksum", "file"}),
    "truncated": (lambda p: p.write_bytes(p.read_bytes()[:-40]), {"file"}),
    "half of it": (lambda p: p.write_bytes(p.read_bytes()[: p.stat().st_size // 2]), {"file"}),
    "empty": (lambda p: p.write_bytes(b""), {"file"}),
    "text": (text, {"file"}),
    "a folder": (folder, {"file"}),
    "without provenance": (foreign, {"provenance"}),
    "provenance edited": (
        lambda p: rewritten(p, provenance=edit("recipe", value=99), run_key=False),
        {"provenance"},
    ),
    "of a newer format": (
        lambda p: rewritten(p, provenance=edit("format", value=99)), {"provenance"}),
    "no column of vectors": (lambda p: rewritten(p, lambda t: t.drop(["embedding"])), {"schema"}),
    "labels of another type": (
        lambda p: rewritten(p, lambda t: t.set_column(1, "label", t["label"].cast(pa.int32()))),
        {"schema"},
    ),
    "features undescribed": (
        lambda p: rewritten(p, lambda t: t.replace_schema_metadata(None)), {"schema"}),
    "another width than provenance": (lambda p: rewritten(p, widened), {"width", "checksum"}),
    "another model's name": (lambda p: rewritten(p, altered("model_name", 4, "c.z")), {"model"}),
    "a row is missing": (
        lambda p: rewritten(p, lambda t: t.filter(np.arange(ROWS) != 4)),
        {"rows", "ids", "checksum", "across"},
    ),
    "ids swapped": (lambda p: rewritten(p, swap), {"ids", "across"}),
    "ids swapped, digests too": (lambda p: rewritten(p, swap, seal=True), {"ids", "across"}),
    "a label altered": (lambda p: rewritten(p, altered("label", 9, 77)), {"labels", "across"}),
    "a null among ids": (lambda p: rewritten(p, altered("id", 4, None)), {"ids"}),
    "a null among labels": (lambda p: rewritten(p, altered("label", 4, None)), {"labels"}),
    "not a number": (lambda p: rewritten(p, revalued(nan)), {"finite", "checksum"}),
    "not a number, digests too": (lambda p: rewritten(p, revalued(nan), seal=True), {"finite"}),
    "another value": (lambda p: rewritten(p, revalued(nudge)), {"checksum"}),
}  # fmt: skip


@pytest.mark.parametrize("at_hand", [True, False], ids=["inputs", "digests"])
@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_told_and_stops_nothing(
    case: str, at_hand: bool, results: Path, prepared_files: Path, verify: Verify
) -> None:
    if at_hand:
        shutil.copytree(prepared_files, results / "inputs")
    path = results / "latents/mnist_5k/b.y/test.parquet"
    damage, words = DAMAGE[case]
    damage(path)
    status, output = verify(results)
    assert status == 1
    told = [line.split()[0] for line in output.splitlines() if str(path) in line]
    assert told, output
    if case == "a bit of the vectors":
        assert set(told) <= words
    else:
        assert set(told) == words, output
    assert output.splitlines()[-1] == "3 shards: 2 sound, 1 damaged"
    assert "a.x/test.parquet: " not in output
    assert "c.z/test.parquet: " not in output


def test_inputs_at_hand_name_the_rows(with_inputs: Path, verify: Verify) -> None:
    path = with_inputs / "latents/mnist_5k/b.y/test.parquet"
    rewritten(path, altered("label", 9, 77), seal=True)
    status, output = verify(with_inputs)
    assert status == 1
    assert f"labels      {path}: label of id " in output
    assert "is 77, but the benchmark says" in output


def test_a_model_with_other_labels_is_named_against_the_majority(
    results: Path, prepared: PreparedSplit, verify: Verify
) -> None:
    path = results / "latents/mnist_5k/b.y/test.parquet"
    rewritten(path, altered("label", 9, 77), seal=True)
    status, output = verify(results)
    assert status == 1
    label = prepared.labels["label"][9]
    assert (
        f"across      {path}: labels are not those of a.x: label of id {prepared.ids[9]} is 77, "
        f"not {label} (1 rows differ) (2 of 3 models have the same rows)." in output
    )
    assert output.endswith("3 shards: 2 sound, 1 damaged\n")


@pytest.mark.parametrize("at_hand", [True, False], ids=["inputs", "digests"])
def test_a_model_of_other_inputs_is_found(
    at_hand: bool,
    results: Path,
    prepared: PreparedSplit,
    prepared_files: Path,
    verify: Verify,
) -> None:
    other = replace(prepared, facts=replace(prepared.facts, fingerprint="f" * 64))
    path = results / "latents/mnist_5k/b.y/test.parquet"
    write_shard(path, other, described("b.y", 5), np.ones((ROWS, 5), np.float32))
    if at_hand:
        shutil.copytree(prepared_files, results / "inputs")
    status, output = verify(results)
    assert status == 1
    assert f"across      {path}: made from other inputs than those of a.x" in output
    assert (f"inputs      {path}: provenance says input fingerprint" in output) == at_hand
    assert output.endswith("3 shards: 2 sound, 1 damaged\n")


def test_between_two_models_nothing_tells_which_is_right(results: Path, verify: Verify) -> None:
    shutil.rmtree(results / "latents/mnist_5k/c.z")
    rewritten(results / "latents/mnist_5k/b.y/test.parquet", altered("label", 9, 77), seal=True)
    status, output = verify(results)
    assert status == 1
    assert output.count("as many models are on either side") == 2
    assert output.endswith("2 shards: 0 sound, 2 damaged\n")


def test_between_two_models_the_sound_one_is_the_reference(results: Path, verify: Verify) -> None:
    shutil.rmtree(results / "latents/mnist_5k/c.z")
    rewritten(results / "latents/mnist_5k/b.y/test.parquet", altered("label", 9, 77))
    assert verify(results)[1].endswith("2 shards: 1 sound, 1 damaged\n")


def test_the_registrys_width_counts_for_the_same_network_only(
    results: Path, prepared: PreparedSplit, verify: Verify
) -> None:
    path = results / "latents/mnist_5k/b.y/test.parquet"
    write_shard(path, prepared, described("b.y", 4), np.ones((ROWS, 4), np.float32))
    status, output = verify(results)
    assert status == 1
    assert f"width       {path}: vectors of 4, but the registry says 5 for b.y." in output
    other = described("b.y", 4)
    other["encoder"]["architecture"] = "another"
    write_shard(path, prepared, other, np.ones((ROWS, 4), np.float32))
    assert verify(results)[0] == 0


@pytest.mark.parametrize(
    ("to", "what"),
    [
        ("mnist_5k/d.w/test", "model 'd.w' belongs, but provenance says 'a.x'"),
        ("mnist_5k/a.x/train", "split 'train' belongs, but provenance says 'test'"),
        ("digits/a.x/test", "benchmark 'digits' belongs, but provenance says 'mnist_5k'"),
        ("mnist_5k/test", "lies among shards, but not at benchmark/model/split.parquet"),
    ],
)
def test_a_shard_in_anothers_place_is_told(
    to: str, what: str, results: Path, verify: Verify
) -> None:
    path = results / "latents" / f"{to}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(results / "latents/mnist_5k/a.x/test.parquet", path)
    status, output = verify(results)
    assert status == 1
    assert f"place       {path}: " in output
    assert what in output
    assert output.endswith("4 shards: 3 sound, 1 damaged\n")


def test_damaged_inputs_are_told_and_digests_still_count(with_inputs: Path, verify: Verify) -> None:
    data = with_inputs / "inputs/mnist_5k/test.arrow"
    data.write_bytes(data.read_bytes()[:100])
    rewritten(with_inputs / "latents/mnist_5k/b.y/test.parquet", altered("label", 9, 77))
    status, output = verify(with_inputs)
    assert status == 1
    assert output.count(f"inputs      {data}: is no prepared split") == 1
    assert output.endswith("3 shards: 2 sound, 1 damaged\n")


def test_a_decoder_that_breaks_stops_nothing(
    results: Path, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = shard_checks.read_provenance

    def breaks(path: Path, metadata: Any) -> Any:
        if path.parent.name == "b.y":
            raise RuntimeError("unforeseen")
        return read(path, metadata)

    monkeypatch.setattr(shard_checks, "read_provenance", breaks)
    status, output = verify(results)
    assert status == 1
    assert "b.y/test.parquet: cannot be checked (RuntimeError: unforeseen)." in output
    assert output.endswith("3 shards: 2 sound, 1 damaged\n")


def test_no_flipped_bit_passes_unless_it_changes_nothing(results: Path, verify: Verify) -> None:
    path = results / "latents/mnist_5k/b.y/test.parquet"
    original, whole = pq.read_table(path), path.read_bytes()
    told = 0
    for bit in np.random.default_rng(1).choice(8 * len(whole), 80, replace=False).tolist():
        raw = bytearray(whole)
        raw[bit // 8] ^= 1 << bit % 8
        path.unlink()
        path.write_bytes(raw)
        status, output = verify(results, "--format", "json")
        found = json.loads(output)
        assert found["shards"] == 3
        assert {p["path"] for p in found["problems"]} <= {str(path)}
        if status:
            told += 1
        else:
            assert pq.read_table(path).equals(original), f"bit {bit} passed"
    assert told > 40


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up the right to read everything, where tests run as root."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_what_may_not_be_read_is_told(results: Path, registry: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        # Pytest's own folders are closed to others.
        Path(scratch).chmod(0o755)
        copy = Path(scratch, "results")
        shutil.copytree(results, copy)
        shutil.copytree(registry, Path(scratch, "registry"))
        known = Path(scratch, "registry")
        # Once with all rights: what is imported on first use may lie in a closed folder too.
        assert audit.verify([copy], registry=known).status == 0
        (copy / "latents/mnist_5k/b.y/test.parquet").chmod(0)
        closed = copy / "latents/mnist_5k/c.z"
        closed.chmod(0)
        with as_nobody():
            found = audit.verify([copy], registry=known)
        closed.chmod(0o755)
    output = audit.as_table(found)
    assert found.status == 1
    assert "b.y/test.parquet: may not be read" in output
    assert "c.z: cannot be listed" in output


def test_vectors_are_read_in_bounded_blocks(
    tmp_path: Path, prepared: PreparedSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semasia.latents.shard_file._BLOCK_BYTES", 0)
    rng = np.random.default_rng(0)
    latents = rng.standard_normal((300, 3)).astype(np.float32)
    ids = np.arange(300, dtype=np.uint32)
    many = replace(prepared, ids=ids, labels={"label": np.zeros(300, np.int64)})
    for group_rows in (300, 100):
        path = tmp_path / f"{group_rows}.parquet"
        write_shard(path, many, described("a.x", 3), latents, group_rows)
        blocks = list(ShardFile(path).blocks(3))
        assert max(len(b) for _, b in blocks) <= 64
        assert np.array_equal(np.concatenate([b for _, b in blocks]), latents)
        at = np.array([0, 63, 64, 99, 100, 299])
        assert np.array_equal(ShardFile(path).vectors(at, 3), latents[at])
    with pytest.raises(ShardError, match="is not a whole Parquet file"):
        ShardFile(tmp_path / "nothing.parquet")
