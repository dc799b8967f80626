"""What is fetched stands whole in its place, or not at all."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semasia.errors import (
    HubUnreachableError,
    RowMismatchError,
    SemasiaError,
    ShardError,
    StorageError,
)
from semasia.files import sha256_of_file
from semasia.latents import Shard
from semasia.latents.fetching import Listing, fetch_shard
from semasia.latents.roots import Key

Write = Callable[..., np.ndarray]
KEY = Key("mnist_5k", "tiny.seed0", "test")
PLACE = "data/tiny.seed0/test.parquet"
STATED: dict[str, Any] = {"stated": {}, "source_rows": 1000}


@dataclass
class Shelf:
    """Files in place of a repository on the Hub: what is fetched from it is copied."""

    files: dict[str, Path]
    fails: list[Exception] = field(default_factory=list)
    asked: int = 0
    name, revision = "a/b", "0" * 40

    def fetch(self, place: str, folder: Path, retrying: object = None) -> Path | None:
        self.asked += 1
        if self.fails:
            raise self.fails.pop(0)
        if place not in self.files:
            return None
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(self.files[place], folder / place))


@pytest.fixture
def made(write: Write, tmp_path: Path) -> Path:
    path = tmp_path / "made.parquet"
    write(path)
    return path


def listing_of(path: Path, **changes: Any) -> Listing:
    files = {PLACE: (path.stat().st_size, sha256_of_file(path))}
    return Listing(Shelf({PLACE: path}, **changes), files)  # type: ignore[arg-type]


def test_a_shard_arrives_as_it_was(made: Path, tmp_path: Path) -> None:
    target = tmp_path / "results" / "tiny.seed0" / "test.parquet"
    fetch_shard(listing_of(made), KEY, 50, target, **STATED)
    assert target.read_bytes() == made.read_bytes()
    assert [p.name for p in target.parent.iterdir()] == ["test.parquet"]


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        ("other bytes", ShardError, "arrived with other content"),
        ("another model", ShardError, "provenance says model 'other'"),
        ("rows", RowMismatchError, "50 rows were published, and the configuration asks for 49"),
        ("damaged before it was published", ShardError, "test.parquet: "),
        ("not published", ShardError, "Did you mean tiny.seed0"),
        ("no space", StorageError, "Free space"),
        ("unreachable", HubUnreachableError, "no answer"),
    ],
)
def test_what_is_wrong_is_one_error_and_leaves_nothing(
    made: Path, write: Write, tmp_path: Path, fault: str, error: type[SemasiaError], message: str
) -> None:
    key, rows, listing = KEY, 50, listing_of(made)
    if fault == "other bytes":
        write(made, 7, "tiny.seed0", 16)
        made.write_bytes(made.read_bytes()[:-9] + b"123456789")
    elif fault == "another model":
        write(made, name="other")
        listing = listing_of(made)
    elif fault == "rows":
        rows = 49
    elif fault == "damaged before it was published":
        content = bytearray(made.read_bytes())
        content[len(content) // 3] ^= 255
        made.write_bytes(content)
        listing = listing_of(made)
    elif fault == "not published":
        key = Key("mnist_5k", "tiny.seed1", "test")
    elif fault == "no space":
        listing = listing_of(made, fails=[OSError(errno.ENOSPC, "No space left on device")])
    elif fault == "unreachable":
        listing = listing_of(made, fails=[HubUnreachableError("no answer")])
    target = tmp_path / "results" / "test.parquet"
    with pytest.raises(error, match=message):
        fetch_shard(listing, key, rows, target, **STATED)
    assert not target.exists()
    if fault not in ("no space", "unreachable"):
        assert not list(tmp_path.glob("results/.*"))
        return
    # What a run was stopped in the middle of is gone on with.
    fetch_shard(listing, key, rows, target, **STATED)
    assert Shard(target).rows == 50
    assert not list(tmp_path.glob("results/.*"))
