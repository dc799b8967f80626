"""A table or record between two rules is whole, or told by name; a full disk keeps the old one."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semasia.errors import DamagedFileError, StorageError
from semasia.files import read_record, whole_file
from semasia.rows import RowCache
from semasia.tables import frame_of, read_rows, read_table, read_tables, write_table

COLUMNS: dict[str, type] = {"model_name": str, "rows": int, "accuracy": float, "untrained": bool}
ROWS = [
    {"model_name": f"model {i}", "rows": i, "accuracy": i / 7, "untrained": i % 2 == 0}
    for i in range(300)
]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    write_table(frame_of(ROWS, COLUMNS), tmp_path / "t.parquet", tmp_path / "t.csv")
    return tmp_path / "t.parquet"


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk with room for 4 kB more, which holds an old table of another size."""
    folder = tmp_path / "full"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    try:
        (folder / "old").write_bytes(b"old")
        (folder / "fill").write_bytes(b"x" * 56 * 1024)
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_tables_come_back_as_they_were(table: Path) -> None:
    frame = frame_of(ROWS, COLUMNS)
    assert read_table(table, COLUMNS).equals(frame)
    assert pl.read_parquet(table).equals(frame), "any reader of Parquet reads them"
    assert pq.read_table(table).num_rows == 300
    assert read_tables([table, table], COLUMNS).equals(pl.concat([frame, frame]))
    assert read_tables([], COLUMNS).equals(frame_of([], COLUMNS))
    # A table that another program wrote has no seal, and is read all the same.
    pq.write_table(pa.table({"a": [1, 2]}), table)
    assert read_table(table, ["a"])["a"].to_list() == [1, 2]


DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "truncated": (lambda raw: raw[: len(raw) // 2], "is no whole Parquet table"),
    "without its end": (lambda raw: raw[:-1], "is no whole Parquet table|was altered"),
    "empty": (lambda _: b"", "is no whole Parquet table .an empty file"),
    "zeros": (lambda raw: bytes(len(raw)), "is no whole Parquet table"),
    "no Parquet": (lambda _: b"a,b\n1,2\n" * 9, "is no whole Parquet table"),
    "zeros within": (lambda raw: raw[:200] + bytes(64) + raw[264:], "was altered"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_table_is_told_by_name(table: Path, damage: str) -> None:
    make, said = DAMAGES[damage]
    table.write_bytes(make(table.read_bytes()))
    with pytest.raises(DamagedFileError, match=f"{re.escape(str(table))}: ({said})") as caught:
        read_tables([table], COLUMNS)
    assert str(caught.value).endswith("Delete it and run again.")


def test_every_flipped_bit_is_told_or_harmless(table: Path, rng: np.random.Generator) -> None:
    """The library alone reads some as other values, and aborts the process over some."""
    frame, raw = read_table(table), table.read_bytes()
    told = 0
    for place in rng.choice(len(raw), 200, replace=False):
        content = bytearray(raw)
        content[place] ^= 1 << int(rng.integers(8))
        table.write_bytes(content)
        try:
            assert read_table(table).equals(frame)
        except DamagedFileError:
            told += 1
    assert told > 190


def test_what_is_not_the_table_asked_for_is_told(table: Path, tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError, match=r"none.parquet: there is no such file. Run again"):
        read_table(tmp_path / "none.parquet")
    with pytest.raises(DamagedFileError, match=r"none.parquet: there is no such file. Build it."):
        read_table(tmp_path / "none.parquet", advice="Build it.")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DamagedFileError, match=r"folder: cannot be read .Is a directory"):
        read_table(tmp_path / "folder")
    with pytest.raises(DamagedFileError, match=r"has no column 'width'; it has model_name, rows"):
        read_table(table, ["model_name", "width"])
    with pytest.raises(DamagedFileError, match=r"column 'rows' holds Int64, not Float64. Build it"):
        read_table(table, {"rows": float}, advice="Build it.")
    with pytest.raises(DamagedFileError, match=r"a column 'untrained' of another table"):
        read_tables([table], {k: v for k, v in COLUMNS.items() if k != "untrained"})


RECORDS = {
    b'{"model_name": "m"': "is no whole JSON record",
    b"": "is no whole JSON record .an empty file",
    bytes(40): "is no whole JSON record",
    b"[1, 2]": "holds list, no record",
    b"[" * 100_000: "is no whole JSON record",
    b"\xff\xfe{}": "is no whole JSON record",
    b"{}": "has no 'model_name'",
    b'{"model_name": 3}': "'model_name' is 3, no str",
    b'{"model_name": "m", "rows": true}': "'rows' is True, no int",
    b'{"model_name": "m", "accuracy": "x"}': "'accuracy' is 'x', no float",
}


@pytest.mark.parametrize("content", RECORDS, ids=range(len(RECORDS)))
def test_a_damaged_record_is_told_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(content)
    said = f"{re.escape(str(path))}: {RECORDS[content]}"
    with pytest.raises(DamagedFileError, match=said):
        read_rows([path], COLUMNS, required=["model_name"])


def test_records_are_rows(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"model_name": "m", "accuracy": 1, "other": []}')
    (row,) = read_rows([tmp_path / "a.json"], COLUMNS, required=["model_name"]).rows()
    assert row == ("m", None, 1.0, None)
    assert read_record(tmp_path / "a.json", ["other"])["other"] == []


def big() -> pl.DataFrame:
    return pl.DataFrame({"a": np.random.default_rng(0).standard_normal(20_000)})


def draw(path: Path) -> None:
    figure = plt.figure()
    figure.add_subplot().plot(np.random.default_rng(0).standard_normal(5_000))
    try:
        figure.savefig(path, format="svg")
    finally:
        plt.close(figure)


WRITERS: dict[str, Callable[[Path], object]] = {
    "polars, Parquet": lambda path: big().write_parquet(path),
    "polars, CSV": lambda path: big().write_csv(path),
    "pyarrow": lambda path: pq.write_table(big().to_arrow(), path),
    "matplotlib": draw,
    "text": lambda path: path.write_text("x" * 100_000),
    "JSON": lambda path: path.write_text(json.dumps(list(range(20_000)))),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk_is_one_error_whatever_writes(full_disk: Path, writer: str) -> None:
    said = r"full/old: could not be written .*No space left on device.*free space"
    with pytest.raises(StorageError, match=said), whole_file(full_disk / "old") as temporary:
        WRITERS[writer](temporary)
    assert (full_disk / "old").read_bytes() == b"old"
    assert sorted(p.name for p in full_disk.iterdir()) == ["fill", "old"]
    with pytest.raises(StorageError, match=said):
        write_table(big(), full_disk / "old")
    with pytest.raises(StorageError, match=said):
        write_table(big(), None, full_disk / "old")
    assert (full_disk / "old").read_bytes() == b"old"


@pytest.mark.parametrize(
    "defect",
    [
        ValueError("a defect"),
        pl.exceptions.ComputeError("division by zero"),
        pl.exceptions.ColumnNotFoundError("x"),
        pa.ArrowInvalid("not a table"),
        RuntimeError("child exited (os error 2)"),
        ZeroDivisionError(),
    ],
    ids=lambda e: type(e).__name__,
)
def test_a_defect_is_not_called_a_fault_of_the_disk(tmp_path: Path, defect: Exception) -> None:
    with pytest.raises(type(defect)), whole_file(tmp_path / "a") as temporary:
        temporary.write_text("half")
        raise defect
    assert list(tmp_path.iterdir()) == []


def test_the_file_that_failed_is_named(tmp_path: Path) -> None:
    lost = tmp_path / "elsewhere" / "source.bin"
    with (
        pytest.raises(StorageError, match=f"target: could not be written .{lost}: No such file"),
        whole_file(tmp_path / "target"),
    ):
        lost.read_bytes()


@pytest.mark.parametrize("most", [143, 255])
def test_a_name_as_long_as_a_file_system_takes(
    tmp_path: Path, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []
    replace = os.replace

    def note(path: Path, target: Path) -> None:
        used.append(len(os.fsencode(Path(path).name)))
        replace(path, target)

    monkeypatch.setattr(os, "replace", note)
    for name in ("x" * most, "é" * (most // 2), "日" * (most // 3)):
        with whole_file(tmp_path / name) as temporary:
            temporary.write_text(name)
        assert (tmp_path / name).read_text() == name
    assert max(used) <= 143


def test_a_row_that_cannot_be_kept_or_was_damaged_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache, row, made = RowCache(tmp_path / "kept", 1), {"a": 0.1, "b": None}, []

    def make() -> list[dict[str, object]]:
        made.append(1)
        return [row]

    assert [cache.rows("key", make) for _ in range(3)] == [[row]] * 3
    assert len(made) == 1
    (path,) = (tmp_path / "kept").iterdir()
    text = path.read_text()
    damaged = [text.replace("0.1", "0.2"), text[:7], "", "null\n", "[]", "\0" * len(text)]
    for count, content in enumerate(damaged, start=2):
        path.write_text(content)
        assert cache.rows("key", make) == [row]
        assert len(made) == count
    # As they were kept before: without a digest.
    path.write_text(json.dumps(row))
    assert cache.rows("key", make) == [row]
    assert len(made) == len(damaged) + 1

    def fail(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    assert cache.rows("another", make) == [row]
    assert "not kept for a later run" in caplog.text
