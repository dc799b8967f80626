"""What is written is what is read, and nothing else is accepted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import semasia
from semasia.errors import EncoderError, RowMismatchError, ShardError
from semasia.inputs import PreparedSplit
from semasia.latents import Plan, Shard, ShardWriter, assembly, encoding, provenance_of

from .conftest import described


def test_a_shard_holds_what_was_written(
    tmp_path: Path, prepared: PreparedSplit, write: Callable[..., np.ndarray]
) -> None:
    latents = write(tmp_path / "test.parquet")
    shard = Shard(tmp_path / "test.parquet", prepared)
    assert np.array_equal(shard.embeddings(), latents)
    assert np.array_equal(shard.ids, prepared.ids)
    assert np.array_equal(shard.labels["label"], prepared.labels["label"])
    assert shard.label_names["label"] == [str(d) for d in range(10)]
    assert not list(tmp_path.glob(".*")), "parts are gone when the shard is there"


def test_the_embedding_is_a_view_of_the_decoded_column(
    tmp_path: Path, write: Callable[..., np.ndarray]
) -> None:
    write(tmp_path / "test.parquet")
    found = Shard(tmp_path / "test.parquet").embeddings()
    assert not found.flags.owndata
    assert found.dtype == np.float32


def test_row_groups_do_not_change_what_is_read(
    tmp_path: Path, write: Callable[..., np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "row_group_rows", lambda width: 16)
    latents = write(tmp_path / "test.parquet")
    assert pq.ParquetFile(tmp_path / "test.parquet").num_row_groups == 4
    assert np.array_equal(Shard(tmp_path / "test.parquet").embeddings(), latents)
    assert [len(b) for b in Shard(tmp_path / "test.parquet").blocks()] == [16, 16, 16, 2]


def test_row_groups_are_sized_by_width() -> None:
    rows = encoding.row_group_rows
    assert rows(1280) == 4096
    assert rows(10_444) * 10_444 * 4 <= 32 << 20
    assert rows(10**7) == 64


@pytest.mark.parametrize("part_rows", [1, 7, 50, 64])
def test_bytes_do_not_depend_on_how_rows_were_cut(
    tmp_path: Path, prepared: PreparedSplit, part_rows: int
) -> None:
    made = []
    for plan in (Plan(1, 16), Plan(1, part_rows)):
        path = tmp_path / str(plan.part_rows) / "test.parquet"
        writer = start(path, prepared, plan)
        for rows in writer.missing():
            add(writer, rows, block(rows))
        writer.finish()
        made.append(path.read_bytes())
    assert made[0] == made[1]


def start(
    path: Path, prepared: PreparedSplit, plan: Plan | None = None, **extra: str
) -> ShardWriter:
    writer = ShardWriter(path, prepared, provenance_of(prepared, described(3, **extra)))
    writer.begin(writer.known_plan() or plan or Plan(8, 16))
    return writer


def add(writer: ShardWriter, rows: range, latents: np.ndarray) -> None:
    writer.save(rows, latents)
    writer.assemble(rows, latents)


def block(rows: range) -> np.ndarray:
    return np.repeat(np.arange(rows.start, rows.stop, dtype=np.float32)[:, None], 3, axis=1)


def test_resumes_after_the_last_whole_part(tmp_path: Path, prepared: PreparedSplit) -> None:
    path = tmp_path / "test.parquet"
    first = start(path, prepared)
    ranges = first.missing()
    assert [(r.start, r.stop) for r in ranges] == [(0, 16), (16, 32), (32, 48), (48, 50)]
    for rows in ranges[:2]:
        first.save(rows, block(rows))
    second = start(path, prepared, Plan(5, 10))
    assert second.plan == Plan(8, 16)
    assert second.missing() == ranges[2:]
    with pytest.raises(ShardError, match=r"32 of 50 rows are there; run again"):
        second.finish()
    for rows in second.missing():
        add(second, rows, block(rows))
    second.finish()
    assert np.array_equal(Shard(path, prepared).embeddings(), block(range(50)))


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_a_damaged_part_is_computed_again(
    tmp_path: Path, prepared: PreparedSplit, damage: str
) -> None:
    path = tmp_path / "test.parquet"
    writer = start(path, prepared)
    ranges = writer.missing()
    for rows in ranges:
        add(writer, rows, block(rows))
    part = sorted(tmp_path.rglob("rows-*.arrow"))[1]
    raw = bytearray(part.read_bytes())
    if damage == "truncated":
        raw = raw[: len(raw) // 2]
    elif damage == "flipped":
        at = raw.find(np.float32(20).tobytes())
        assert at > 0
        raw[at] ^= 1
    else:
        raw = bytearray()
    part.write_bytes(raw)
    assert start(path, prepared).missing() == [ranges[1]]


@pytest.mark.parametrize(
    "change",
    [
        {"batch_size": 0},
        {"batch_size": 8.0},
        {"part_rows": 12},
        {"engine": "other"},
        {"threads": 0},
        {"threads": 10**9},
        {"smallest_batch": -1},
        {"smallest_batch": 9},
        {"computed_on": [1]},
        {"surprise": 1},
        None,
    ],
)
def test_parts_of_no_possible_plan_are_computed_again(
    tmp_path: Path, prepared: PreparedSplit, change: dict[str, object] | None
) -> None:
    path = tmp_path / "test.parquet"
    writer = start(path, prepared)
    for rows in writer.missing():
        add(writer, rows, block(rows))
    (plan,) = tmp_path.rglob("plan.json")
    known = json.loads(plan.read_text())
    plan.write_text("[" * 10_000 if change is None else json.dumps({**known, **change}))
    again = start(path, prepared)
    assert again.plan == Plan(8, 16)
    assert len(again.missing()) == 4


def test_a_renamed_part_is_computed_again(tmp_path: Path, prepared: PreparedSplit) -> None:
    path = tmp_path / "test.parquet"
    writer = start(path, prepared)
    first, second, *_ = writer.missing()
    for rows in (first, second):
        add(writer, rows, block(rows))
    part = sorted(tmp_path.rglob("rows-*.arrow"))[1]
    part.rename(part.with_name(part.name.replace("000000016-000000032", "000000032-000000048")))
    (part.parent / "rows-000000048-000000050.0123456789abcdef.arrow").mkdir()
    assert [r.start for r in start(path, prepared).missing()] == [16, 32, 48]


def test_parts_of_other_weights_are_not_mixed_in(tmp_path: Path, prepared: PreparedSplit) -> None:
    path = tmp_path / "test.parquet"
    first = start(path, prepared, sha256="a" * 64)
    for rows in first.missing()[:3]:
        first.save(rows, block(rows))
    other = start(path, prepared, sha256="b" * 64)
    assert len(other.missing()) == 4
    for rows in other.missing():
        add(other, rows, block(rows) + 1)
    other.finish()
    assert np.array_equal(Shard(path, prepared).embeddings(), block(range(50)) + 1)


def test_the_smaller_encoding_is_chosen() -> None:
    rng = np.random.default_rng(0)
    dense = rng.standard_normal((2000, 64)).astype(np.float32)
    sparse = np.where(rng.random(dense.shape) < 0.8, np.float32(0), dense)
    for values, wanted in ((dense, encoding.SPLIT), (sparse, encoding.WHOLE)):
        column = pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), 64)
        table = pa.table({"id": np.arange(2000, dtype=np.uint32), "embedding": column})
        assert encoding.parquet_options(table) is wanted


def test_a_value_that_is_not_finite_names_its_id(tmp_path: Path, prepared: PreparedSplit) -> None:
    writer = start(tmp_path / "test.parquet", prepared)
    rows = writer.missing()[1]
    bad = block(rows)
    bad[4, 1] = np.nan
    with pytest.raises(EncoderError, match=rf"vector of id {prepared.ids[20]} is not finite"):
        writer.save(rows, bad)
    with pytest.raises(EncoderError, match=r"\(16, 4\) for 16 rows; \(16, 3\) was expected"):
        writer.save(rows, np.zeros((16, 4), np.float32))
    assert not (tmp_path / "test.parquet").exists()


def rewritten(path: Path, change: Callable[[pa.Table], pa.Table]) -> Path:
    """Write a changed copy of a shard, its metadata kept."""
    file = pq.ParquetFile(path)
    table = change(file.read())
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({b"semasia": file.metadata.metadata[b"semasia"]})
    return path


def replaced(name: str, values: np.ndarray | pa.Array) -> Callable[[pa.Table], pa.Table]:
    return lambda t: t.set_column(t.schema.get_field_index(name), name, pa.array(values))


REFUSALS = {
    "a row is missing": (
        lambda t, p: t.filter(np.arange(50) != 4), "49 rows, but provenance says 50"),
    "an id is repeated": (
        lambda t, p: replaced("id", np.where(np.arange(50) == 4, p.ids[3], p.ids))(t),
        "ids missing: {4}.*ids repeated: {3}"),
    "ids are in another order": (
        lambda t, p: t.take(np.arange(50)[::-1]), "ids are not in order"),
    "an id of another split": (
        lambda t, p: replaced("id", np.where(np.arange(50) == 4, 1, p.ids).astype(np.uint32))(t),
        "ids not of this split: 1 "),
    "a label differs": (
        lambda t, p: replaced("label", np.where(np.arange(50) == 9, 7, p.labels["label"]))(t),
        r"label of id {9} is 7, but the benchmark says \d \(1 rows differ\)"),
    "no embedding": (lambda t, p: t.drop(["embedding"]), "has no column 'embedding'"),
    "another width": (
        lambda t, p: replaced("embedding", pa.FixedSizeListArray.from_arrays(
            pa.array(np.zeros(250, np.float32)), 5))(t),
        "vectors of 5, but provenance says 7"),
    "half precision": (
        lambda t, p: replaced("embedding", t["embedding"].combine_chunks().cast(
            pa.list_(pa.float16(), 7)))(t),
        r"`embedding` is fixed_size_list<.*halffloat>\[7\]; fixed-size float32 is needed"),
    "a list of any length": (
        lambda t, p: replaced("embedding", t["embedding"].combine_chunks().cast(
            pa.list_(pa.float32())))(t),
        "fixed-size float32 is needed"),
}  # fmt: skip


@pytest.mark.parametrize("with_benchmark", [True, False], ids=["benchmark", "digests"])
@pytest.mark.parametrize("case", REFUSALS)
def test_rows_that_are_not_the_benchmarks_are_refused(
    case: str,
    with_benchmark: bool,
    tmp_path: Path,
    prepared: PreparedSplit,
    write: Callable[..., np.ndarray],
) -> None:
    path = tmp_path / "test.parquet"
    write(path)
    change, message = REFUSALS[case]
    rewritten(path, lambda t: change(t, prepared))
    if with_benchmark:
        for row in (3, 4, 9):
            message = message.replace(f"{{{row}}}", str(prepared.ids[row]))
    else:
        message = str(path)
    with pytest.raises(ShardError, match=message) as caught:
        Shard(path, prepared if with_benchmark else None)
    assert str(path) in str(caught.value)


def test_a_value_that_is_not_finite_is_refused(
    tmp_path: Path, prepared: PreparedSplit, write: Callable[..., np.ndarray]
) -> None:
    path = tmp_path / "test.parquet"
    latents = write(path).copy()
    for value in (np.nan, np.inf, -np.inf):
        latents[11, 2] = value
        array = pa.FixedSizeListArray.from_arrays(pa.array(latents.reshape(-1)), 7)
        rewritten(path, replaced("embedding", array))
        with pytest.raises(ShardError, match=rf"id {prepared.ids[11]} \(row 11\) is not finite"):
            Shard(path).embeddings()
    latents[11, 2] = 3e38
    latents[12, 2] = 3e38
    array = pa.FixedSizeListArray.from_arrays(pa.array(latents.reshape(-1)), 7)
    rewritten(path, replaced("embedding", array))
    assert next(Shard(path).blocks()).max() == np.float32(3e38)


def test_files_that_are_no_shards(tmp_path: Path, write: Callable[..., np.ndarray]) -> None:
    with pytest.raises(ShardError, match="there is no such shard"):
        Shard(tmp_path / "nothing.parquet")
    (tmp_path / "text.parquet").write_text("no")
    with pytest.raises(ShardError, match="not a whole Parquet file"):
        Shard(tmp_path / "text.parquet")
    pq.write_table(pa.table({"id": [1]}), tmp_path / "other.parquet")
    with pytest.raises(ShardError, match="without Semasia's provenance"):
        Shard(tmp_path / "other.parquet")
    path = tmp_path / "test.parquet"
    write(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ShardError, match="not a whole Parquet file"):
        Shard(path)
    write(path)
    file = pq.ParquetFile(path)
    newer = {**json.loads(file.metadata.metadata[b"semasia"]), "format": 99}
    table = file.read()
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({b"semasia": json.dumps(newer).encode()})
    with pytest.raises(ShardError, match="format 99, and this version reads up to 1"):
        Shard(path)


def test_scan_joins_models_of_different_width(
    tmp_path: Path, write: Callable[..., np.ndarray]
) -> None:
    for name, width in (("a.x", 3), ("b.y", 5)):
        write(tmp_path / "latents" / "mnist_5k" / name / "test.parquet", width, name)
    same = semasia.scan(models="a.x", root=tmp_path)
    assert same.collect_schema()["embedding"] == pl.Array(pl.Float32, 3)
    both = semasia.scan(root=tmp_path).collect()
    assert both.columns == ["benchmark", "split", "id", "label", "model_name", "embedding"]
    assert both["embedding"].list.len().unique().sort().to_list() == [3, 5]
    with pytest.raises(ShardError, match=r"no shard of 'a.z'. Did you mean a.x"):
        semasia.scan(models=["a.z"], root=tmp_path)
    with pytest.raises(ShardError, match="no shard"):
        semasia.scan(root=tmp_path / "nowhere")


def test_load_holds_rows_to_the_prepared_benchmark(
    tmp_path: Path, prepared: PreparedSplit, write: Callable[..., np.ndarray]
) -> None:
    write(tmp_path / "latents" / "mnist_5k" / "a.x" / "test.parquet", name="a.x")
    loaded = semasia.load("mnist_5k", "a.x", "test", root=tmp_path)
    assert loaded.provenance["encoder"]["model_name"] == "a.x"
    with pytest.raises(ShardError, match="there is no such shard"):
        semasia.load("mnist_5k", "a.z", "test", root=tmp_path)
    assert issubclass(RowMismatchError, ShardError)
