"""What counts as a shard, in a results tree and in both published layouts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semasia.audit.progress import Progress
from semasia.cli import main
from semasia.inputs import PreparedSplit

from unit.audit.making import (
    ROWS,
    WIDTHS,
    Verify,
    altered,
    described,
    replaced,
    rewritten,
    write_released,
    write_shard,
)

LABELS = np.arange(ROWS) % 3


def test_a_sound_collection(with_inputs: Path, verify: Verify) -> None:
    status, output = verify(with_inputs)
    assert status == 0
    lines = output.splitlines()
    assert lines[0].split() == [
        "benchmark",
        "split",
        "models",
        "rows",
        "sound",
        "damaged",
        "held",
        "to",
    ]
    assert lines[1].split() == ["mnist_5k", "test", "3", "12", "3", "0", "inputs"]
    assert lines[-1] == "3 shards: 3 sound, 0 damaged"


@pytest.mark.parametrize(
    ("under", "shards"),
    [
        ("latents", 3),
        ("latents/mnist_5k", 3),
        ("latents/mnist_5k/a.x", 1),
        ("latents/mnist_5k/a.x/test.parquet", 1),
    ],
)
def test_any_part_of_a_tree(with_inputs: Path, verify: Verify, under: str, shards: int) -> None:
    status, output = verify(with_inputs / under, "--format", "json")
    found = json.loads(output)
    assert status == 0
    assert found["shards"] == found["sound"] == shards
    assert all(s["held_to_inputs"] for s in found["checked"])


def test_a_path_relative_to_the_shard_itself(
    results: Path, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = results / "latents/mnist_5k/d.w"
    shutil.copytree(results / "latents/mnist_5k/a.x", folder)
    monkeypatch.chdir(folder)
    for path in ("test.parquet", "."):
        status, output = verify(path)
        assert status == 1
        assert "lies where model 'd.w' belongs, but provenance says 'a.x'" in output


def test_paths_that_overlap_give_each_shard_once(results: Path, verify: Verify) -> None:
    status, output = verify(results, results / "latents/mnist_5k/a.x/test.parquet")
    assert status == 0
    assert output.endswith("3 shards: 3 sound, 0 damaged\n")


def test_other_files_of_a_results_tree_are_left_alone(results: Path, verify: Verify) -> None:
    for other in (
        "tables/geometry.parquet",
        "geometry/mnist_5k/test/0.parquet",
        "graphs/mnist_5k/test/0.parquet",
        "inputs/mnist_5k/extra.parquet",
        "registry/registry.parquet",
    ):
        (results / other).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"x": [1]}), results / other)
        (results / other).with_name("broken.parquet").write_text("no")
    hidden = results / "latents/mnist_5k/a.x/.test.parts/key/part.parquet"
    hidden.parent.mkdir(parents=True)
    hidden.write_text("unfinished")
    (results / "latents/mnist_5k/a.x/.test.parquet").write_text("unfinished")
    (results / "latents/mnist_5k/a.x/notes.txt").write_text("no shard")
    assert verify(results)[0] == 0
    # A folder of that name further up decides nothing.
    nested = results.parent / "latents" / "run"
    shutil.move(results, nested)
    assert verify(nested)[0] == 0


def test_anything_below_latents_is_a_shard_or_damaged(results: Path, verify: Verify) -> None:
    stray = results / "latents/stray.parquet"
    stray.write_text("no")
    status, output = verify(results)
    assert status == 1
    assert f"file        {stray}: is not a whole Parquet file" in output


def test_links_are_followed_once(results: Path, verify: Verify, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    shutil.move(results / "latents", scratch)
    (results / "latents").symlink_to(scratch)
    (scratch / "mnist_5k" / "round").symlink_to(results)
    status, output = verify(results)
    assert status == 0
    assert output.endswith("3 shards: 3 sound, 0 damaged\n")


def test_nothing_found_is_no_success(tmp_path: Path, verify: Verify, results: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    status, output = verify(empty)
    assert status == 1
    assert f"file        {empty}: no shard lies here." in output
    assert output.endswith("0 shards: 0 sound, 0 damaged\n")
    status, output = verify(results, tmp_path / "nowhere")
    assert status == 1
    assert f"{tmp_path / 'nowhere'}: there is no such file or folder." in output
    assert output.endswith("3 shards: 3 sound, 0 damaged\n")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["x", "--recompute", "-1"],
        ["x", "--recompute", "few"],
        ["x", "--inputs", "nowhere"],
        ["x", "--registry", "nowhere"],
        ["x", "--config", "nowhere"],
        ["x", "--format", "xml"],
    ],
)
def test_usage_errors(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["verify", *arguments])
    assert left.value.code == 2


def test_a_registry_that_was_asked_for_must_be_there(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(results), "--registry", str(tmp_path)]) == 1
    assert "registry.parquet: cannot be read" in capsys.readouterr().err


def test_json_holds_what_the_table_says(results: Path, verify: Verify) -> None:
    path = results / "latents/mnist_5k/b.y/test.parquet"
    rewritten(path, altered("label", 9, 77))
    found = json.loads(verify(results, "--format", "json")[1])
    assert (found["shards"], found["sound"], found["damaged"], found["status"]) == (3, 2, 1, 1)
    assert {p["check"] for p in found["problems"]} == {"labels", "across"}
    assert {p["path"] for p in found["problems"]} == {str(path)}
    [split] = found["splits"]
    assert split["rows"] == [ROWS]
    assert [s["model"] for s in found["checked"] if not s["sound"]] == ["b.y"]


def test_long_runs_are_told_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    Progress(interval=0)("shards checked", 3, 1200, ", 4.20 GB")
    Progress()("shards checked", 3, 1200)
    captured = capsys.readouterr()
    assert captured.err == "shards checked: 3/1,200, 4.20 GB\n"
    assert not captured.out


@pytest.fixture
def published(tmp_path: Path, results: Path) -> Path:
    """Lay the collection out as it is published; returns the folder of repositories."""
    for name in WIDTHS:
        to = tmp_path / "hub/semasia-mnist_5k/data" / name / "test.parquet"
        to.parent.mkdir(parents=True)
        shutil.copy(results / "latents/mnist_5k" / name / "test.parquet", to)
    (tmp_path / "hub/semasia-mnist_5k/README.md").write_text("card")
    return tmp_path / "hub"


def test_a_published_collection(published: Path, verify: Verify, prepared_files: Path) -> None:
    for path in (published, published / "semasia-mnist_5k", published / "semasia-mnist_5k/data"):
        status, output = verify(path)
        assert status == 0
        assert output.splitlines()[1].split()[-1] == "provenance"
    status, output = verify(published, "--inputs", prepared_files)
    assert status == 0
    assert output.splitlines()[1].split()[-1] == "inputs"
    # In the cache of the Hub's client, and under a name that says no benchmark.
    for other in ("datasets--me--semasia-mnist_5k/snapshots/0a1b", "copy"):
        to = published.parent / "elsewhere" / other
        shutil.copytree(published / "semasia-mnist_5k", to)
        assert verify(to)[1].splitlines()[1].split()[0] == "mnist_5k"


def test_damage_in_a_published_collection(published: Path, verify: Verify) -> None:
    data = published / "semasia-mnist_5k/data"
    (data / "b.y/test.parquet").write_bytes(b"")
    (data / "stray.parquet").write_text("no")
    shutil.copytree(data / "a.x", data / "d.w")
    status, output = verify(published)
    assert status == 1
    assert f"file        {data}/b.y/test.parquet: is not a whole Parquet file" in output
    assert f"file        {data}/stray.parquet: is not a whole Parquet file" in output
    assert f"place       {data}/d.w/test.parquet: lies where model 'd.w' belongs" in output
    (published / "semasia-mnist_5k").rename(published / "semasia-digits")
    assert "benchmark 'digits' belongs, but provenance says 'mnist_5k'" in verify(published)[1]


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """Three models in the original layout, in 12 rows of three parts."""
    folder = tmp_path / "released/semasia-mnist"
    for name, width in WIDTHS.items():
        latents = np.random.default_rng(width).standard_normal((ROWS, width)).astype(np.float32)
        write_released(folder / "test" / name, name, latents, LABELS)
    return folder


def test_the_originally_released_layout(released: Path, verify: Verify) -> None:
    for path in (released.parent, released, released / "test"):
        status, output = verify(path)
        assert status == 0
        line = output.splitlines()[1].split()
        assert line == ["mnist", "test", "3", "12", "3", "0", "no", "provenance"]
    for path in (released / "test/b.y", released / "test/b.y/part-00001.parquet"):
        status, output = verify(path, "--format", "json")
        found = json.loads(output)
        assert status == 0
        [shard] = found["checked"]
        assert (shard["rows"], shard["width"], shard["provenance"]) == (ROWS, 5, False)


def test_parts_may_be_cut_differently(released: Path, verify: Verify) -> None:
    latents = np.ones((ROWS, 5), np.float32)
    shutil.rmtree(released / "test/b.y")
    write_released(released / "test/b.y", "b.y", latents, LABELS, part_rows=7)
    assert verify(released)[0] == 0


def of_type(name: str, kind: pa.DataType) -> Callable[[pa.Table], pa.Table]:
    return lambda t: t.set_column(t.schema.get_field_index(name), name, t[name].cast(kind))


def embedding(change: Callable[[list[list[float]]], None]) -> Callable[[pa.Table], pa.Table]:
    def on_table(table: pa.Table) -> pa.Table:
        rows = table["embedding"].to_pylist()
        change(rows)
        return replaced("embedding", pa.array(rows, table["embedding"].type))(table)

    return on_table


REFUSALS: dict[str, tuple[Callable[[pa.Table], pa.Table], str]] = {
    "ids begin late": (
        replaced("id", pa.array(np.arange(ROWS) + 1)), "ids         {}/part-00000.parquet: begin"),
    "an id again in the next part": (
        altered("id", 5, 4), "ids         {}/part-00001.parquet: 4 follows 4 in row 0"),
    "ids in disorder": (
        altered("id", 6, 3), "ids         {}/part-00001.parquet: 3 follows 5 in row 1"),
    "ids that are no numbers": (
        of_type("id", pa.string()), "schema      {}/part-00000.parquet: 'id' is string"),
    "no vectors": (
        lambda t: t.drop(["embedding"]), "schema      {}/part-00000.parquet: has no column"),
    "vectors of whole numbers": (
        of_type("embedding", pa.list_(pa.int64())), "lists of floats are needed"),
    "another model's name": (
        altered("model_name", 6, "a.x"), "model       {}/part-00001.parquet: column 'model_name'"),
    "a vector of another length": (
        embedding(lambda rows: rows[6].append(1.0)),
        "file        {}/part-00001.parquet: the vector of row 1 has length 6, others have 5"),
    "a part of another width": (
        embedding(lambda rows: [r.pop() for r in rows[5:10]] and None),
        "width       {}/part-00001.parquet: vectors of 4, those of the part before are 5"),
    "not a number": (
        embedding(lambda rows: rows[6].__setitem__(0, float("inf"))),
        "finite      {}/part-00001.parquet: the vector of id 6 (row 1) is not finite"),
    "a null vector": (
        altered("embedding", 6, None), "file        {}/part-00001.parquet: column 'embedding' has"),
    "another label": (
        altered("label", 6, 9), "across      {}: labels are not those of a.x: label of id 6 is 9"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_damage_in_the_released_layout(case: str, released: Path, verify: Verify) -> None:
    folder = released / "test/b.y"
    change, told = REFUSALS[case]
    shutil.rmtree(folder)
    write_released(folder, "b.y", np.ones((ROWS, 5)), LABELS, change=change)
    status, output = verify(released)
    assert status == 1
    assert told.format(folder) in output
    assert output.endswith("3 shards: 2 sound, 1 damaged\n")


def test_damaged_and_missing_parts(released: Path, verify: Verify) -> None:
    (released / "test/a.x/part-00002.parquet").write_bytes(b"")
    (released / "test/b.y/part-00001.parquet").unlink()
    status, output = verify(released)
    assert status == 1
    assert f"file        {released}/test/a.x/part-00002.parquet: is not a whole" in output
    assert f"rows        {released}/test/b.y: part 1 is missing" in output
    write_released(released / "test/c.z", "c.z", np.ones((ROWS, 6)), LABELS)
    assert f"width       {released}/test/c.z: vectors of 6, but the registry" in verify(released)[1]


def test_both_layouts_beside_each_other(
    released: Path, prepared: PreparedSplit, verify: Verify
) -> None:
    path = released.parent / "semasia-mnist_5k/data/a.x/test.parquet"
    write_shard(path, prepared, described("a.x", 3), np.ones((ROWS, 3), np.float32))
    status, output = verify(released.parent)
    assert status == 0
    assert output.endswith("4 shards: 4 sound, 0 damaged\n")
