"""Shards have the same bytes on file systems that lack links, locks, syncing or mapping."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from semasia.config import Collection, parse_config
from semasia.errors import ConfigError, StorageError
from semasia.extraction import Asked, Order, note_targets, sweep, take_turn
from semasia.files import whole_file
from semasia.filesystems import mapped, tells_case_apart
from semasia.inputs import InputsCard, prepare_split
from semasia.latents import Shard, only_writer

from unit.storage.conftest import WEAK

MODEL = "lcnet_050.seed0"
TARGETS = [("tiny", MODEL, split) for split in ("train", "test")]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare two splits of eight images, and make their shards on this file system."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("usual")
    rng = np.random.default_rng(0)
    card = {
        "name": "tiny",
        "source": {"kind": "folder", "path": str(folder / "images")},
        "splits": {"train": {"rows": 8}, "test": {"rows": 8}},
        "labels": {"label": {}},
    }
    for split in ("train", "test"):
        for i in range(8):
            path = folder / "images" / split / "ab"[i % 2] / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (20, 20, 3), np.uint8)).save(path)
        order = Order(folder / "results", "tiny", MODEL, split)
        prepare_split(
            InputsCard.model_validate(card),
            split,
            cap=None,
            revision=None,
            data=order.data,
            facts=order.facts,
        )
    make_all(folder)
    return folder


def make_all(folder: Path) -> None:
    """Run the jobs of a collection that lies in ``folder / "results"``."""
    note_targets(folder / "run", TARGETS)
    asked = Asked(
        encoder={
            "name": MODEL,
            "architecture": "lcnet_050",
            "weights": {"source": "random", "seed": 0},
            "data_config": {"input_size": [3, 32, 32]},
        },
        preprocess="device",
        precision="float32",
        device="cpu",
        wishes={"batch_size": 4, "batches_per_part": 1, "threads": 1},
        together=True,
    )
    for target in (*TARGETS, TARGETS[1]):  # the last: a group of jobs that is tried again
        take_turn(Order(folder / "results", *target), asked, folder / "run", 0.0)


def shards(folder: Path) -> list[bytes]:
    return [Order(folder / "results", *target).shard.read_bytes() for target in TARGETS]


def rows(folder: Path) -> list[int]:
    timings = (Order(folder / "results", *target).timings for target in TARGETS)
    return [json.loads(path.read_text())["rows"] for path in timings]


@pytest.mark.parametrize("weak", WEAK)
def test_shards_have_the_same_bytes(
    weak: str, prepared: Path, tmp_path: Path, weaken: Callable[[str], None]
) -> None:
    shutil.copytree(prepared / "results" / "inputs", tmp_path / "results" / "inputs")
    weaken(weak)
    make_all(tmp_path)
    assert shards(tmp_path) == shards(prepared)
    assert rows(tmp_path) == [8, 8]
    sweep(tmp_path / "results", TARGETS)
    hidden = [p.name for p in tmp_path.rglob(".*") if not p.name.endswith(".lock")]
    assert hidden == [], "nothing hidden is left but a lock that could not be deleted"
    for target in TARGETS:
        Shard(Order(tmp_path / "results", *target).shard).verify()


def test_a_real_exfat_holds_a_collection(exfat: Path, prepared: Path) -> None:
    folder = exfat / "collection"
    shutil.copytree(prepared / "results" / "inputs", folder / "results" / "inputs")
    with pytest.raises(OSError, match=r"."):
        os.link(folder / "results", folder / "linked")
    make_all(folder)
    assert shards(folder) == shards(prepared)
    # Once more over what is there, as after a change of the recipe.
    for target in TARGETS:
        Order(folder / "results", *target).shard.unlink()
    make_all(folder)
    assert shards(folder) == shards(prepared)
    assert not tells_case_apart(folder)
    with whole_file(folder / "a.txt") as one:
        one.write_text("one")
    with whole_file(folder / "a.txt") as other:
        other.write_text("other")
    assert (folder / "a.txt").read_text() == "other"


def test_without_locks_two_jobs_are_told_and_damage_nothing(
    tmp_path: Path, weaken: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    weaken("no locks: ENOLCK")
    shard = tmp_path / "test.parquet"
    with caplog.at_level(logging.WARNING), only_writer(shard) as one, only_writer(shard) as other:
        assert (one, other) == (False, False)
        with whole_file(shard) as first, whole_file(shard) as second:
            first.write_text("first")
            second.write_text("second")
    assert "this file system has no locks (No locks available)" in caplog.text
    assert shard.read_text() == "first"
    assert [p.name for p in tmp_path.iterdir()] == ["test.parquet"]


def test_file_numbers_that_change_do_not_keep_a_job_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "samestat", lambda *_: False)
    with only_writer(tmp_path / "test.parquet") as alone:
        assert alone


@pytest.mark.parametrize("code", [errno.ENODEV, errno.EINVAL, errno.EACCES])
def test_a_file_that_cannot_be_mapped_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    import pyarrow as pa

    def refuse(path: str) -> Any:
        raise OSError(code, os.strerror(code), path)

    (tmp_path / "a").write_bytes(b"content")
    monkeypatch.setattr(pa, "memory_map", refuse)
    assert mapped(tmp_path / "a").read() == b"content"
    with pytest.raises(FileNotFoundError):
        monkeypatch.undo()
        mapped(tmp_path / "b")


def test_names_that_differ_in_case_only_need_a_file_system_that_tells_them_apart(
    tmp_path: Path, exfat: Path, repository: Path
) -> None:
    models = [
        {"name": name, "architecture": "lcnet_050", "weights": {"source": "random", "seed": seed}}
        for seed, name in enumerate(("own.model", "own.Model"))
    ]
    (tmp_path / "set.yaml").write_text(yaml.safe_dump({"description": "two", "models": models}))
    for results in (tmp_path / "results", exfat / "not" / "yet"):
        content = {
            "pathvars": {"results": str(results)},
            "benchmarks": [{"name": "digits"}],
            "models": {"file": str(tmp_path / "set.yaml")},
        }
        config = parse_config(content, "c.yaml")
        if results.is_relative_to(exfat):
            with pytest.raises(ConfigError, match=r"'own.model' and 'own.Model' differ in case"):
                Collection.resolve(config, repository / "registry", "c.yaml")
        else:
            found = Collection.resolve(config, repository / "registry", "c.yaml")
            assert list(found.models) == ["own.model", "own.Model"]


@pytest.mark.parametrize("code", [errno.EACCES, errno.EISDIR, errno.EINVAL])
def test_a_folder_that_cannot_be_opened_is_not_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    opened = os.open

    def refuse(path: Any, *rest: Any, **options: Any) -> int:
        if Path(path).is_dir():
            raise OSError(code, os.strerror(code))
        return opened(path, *rest, **options)

    monkeypatch.setattr(os, "open", refuse)
    with whole_file(tmp_path / "a") as temporary:
        temporary.write_text("whole")
    assert (tmp_path / "a").read_text() == "whole"


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_disk_that_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    target = tmp_path / "a.parquet"
    target.write_text("old")

    def fail(handle: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    if code == errno.EROFS:  # of fsync it says that there is no such call, of a rename it is one
        monkeypatch.undo()
        monkeypatch.setattr(os, "replace", lambda *_: fail(0))
    with (
        pytest.raises(StorageError, match=f"a.parquet: could not be written .{os.strerror(code)}"),
        whole_file(target) as temporary,
    ):
        temporary.write_text("new")
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.parquet"]
