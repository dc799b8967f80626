"""What was found of a shard holds until its file changes, however it changes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from semasia.publishing.receipts import read_receipts, receipts_of, write_receipts


def in_place(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff")


def by_another(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    in_place(other)
    other.replace(path)


@pytest.mark.parametrize("change", [in_place, by_another])
def test_size_and_time_put_back_do_not_hide_a_change(
    results: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    path = results / "latents/mnist_5k/a.x/test.parquet"
    file = tmp_path / "verified.json"
    write_receipts(receipts_of([path]), file)
    assert list(read_receipts(file)) == [str(path)]
    before = path.stat()
    change(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert not read_receipts(file)


def test_a_receipt_that_knows_less_of_the_file_does_not_hold(results: Path, tmp_path: Path) -> None:
    path = results / "latents/mnist_5k/a.x/test.parquet"
    file = tmp_path / "verified.json"
    write_receipts(receipts_of([path]), file)
    rows = json.loads(file.read_text())
    for name in ("touched", "inode"):
        file.write_text(json.dumps([{k: v for k, v in row.items() if k != name} for row in rows]))
        assert not read_receipts(file)
