"""The digest of local files: it follows their bytes, which are read no more than needed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import semasia.content
from semasia.content import content_digest, content_or_last, last_content
from semasia.errors import SourceError


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    folder = tmp_path / "files"
    folder.mkdir()
    for name in "abc":
        (folder / name).write_bytes(name.encode() * 100)
    return {name: folder / name for name in "abc"}


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were read, in the order of reading."""
    seen: list[Path] = []
    real = semasia.content.sha256_of_file

    def counted(path: Path) -> str:
        seen.append(path)
        return real(path)

    monkeypatch.setattr(semasia.content, "sha256_of_file", counted)
    return seen


def at_rest(monkeypatch: pytest.MonkeyPatch, seconds: float = 10) -> None:
    """Let the clock stand so much later, so that files just written have been at rest."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + int(seconds * 1e9))


def _other_bytes(path: Path) -> None:
    path.write_bytes(b"x" * path.stat().st_size)


def _other_bytes_and_times_put_back(path: Path) -> None:
    was = path.stat()
    _other_bytes(path)
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


def _another_file_of_equal_size_and_times(path: Path) -> None:
    was, other = path.stat(), path.with_name(".other")
    other.write_bytes(b"y" * was.st_size)
    os.utime(other, ns=(was.st_atime_ns, was.st_mtime_ns))
    other.replace(path)


def _longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"z")


def _link_to_another(path: Path) -> None:
    was, other = path.stat(), path.with_name(".other")
    other.write_bytes(b"w" * was.st_size)
    os.utime(other, ns=(was.st_atime_ns, was.st_mtime_ns))
    path.unlink()
    path.symlink_to(other)


@pytest.mark.parametrize(
    "change",
    [
        _other_bytes,
        _other_bytes_and_times_put_back,
        _another_file_of_equal_size_and_times,
        _longer,
        _link_to_another,
    ],
)
def test_every_change_of_content_is_seen(
    files: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], None],
) -> None:
    at_rest(monkeypatch)
    record = tmp_path / "record.json"
    before = content_digest(files, record)
    change(files["b"])
    after = content_digest(files, record)
    assert after != before
    assert after == content_digest(files)


def test_names_count_and_folders_do_not(files: dict[str, Path], tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    files["a"].parent.rename(moved)
    there = {name: moved / name for name in files}
    digest = content_digest(there)
    other = {"d" if name == "c" else name: path for name, path in there.items()}
    assert content_digest(other) != digest
    moved.rename(files["a"].parent)
    assert content_digest(files) == digest


def test_files_at_rest_are_read_once(
    files: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    readings: list[Path],
) -> None:
    at_rest(monkeypatch)
    record = tmp_path / "a folder" / "record.json"
    digests = {content_digest(files, record) for _ in range(3)}
    assert len(digests) == 1
    assert readings == list(files.values())
    # Times that changed alone cost a reading, and change nothing.
    os.utime(files["a"])
    assert content_digest(files, record) in digests
    assert len(readings) == 2 * len(files)


def test_files_just_written_are_read_again(
    files: dict[str, Path], tmp_path: Path, readings: list[Path]
) -> None:
    record = tmp_path / "record.json"
    content_digest(files, record)
    content_digest(files, record)
    assert len(readings) == 2 * len(files)


def test_a_change_while_reading_is_refused(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = semasia.content.sha256_of_file

    def disturbed(path: Path) -> str:
        files["c"].write_bytes(b"other")
        return real(path)

    monkeypatch.setattr(semasia.content, "sha256_of_file", disturbed)
    with pytest.raises(SourceError, match="my images changed while they were read"):
        content_digest(files, tmp_path / "record.json", what="my images")
    assert not (tmp_path / "record.json").exists()


def test_a_record_that_cannot_be_used_only_costs_a_reading(
    files: dict[str, Path], tmp_path: Path
) -> None:
    right = content_digest(files)
    record = tmp_path / "record.json"
    for content in ("", "[]", "{}", '{"state": null', "\0"):
        record.write_text(content)
        assert content_digest(files, record) == right
    (tmp_path / "file").write_text("")
    assert content_digest(files, tmp_path / "file" / "record.json") == right


def test_of_files_that_are_gone_the_last_digest_is_told(
    files: dict[str, Path], tmp_path: Path
) -> None:
    record, root = tmp_path / "record.json", files["a"].parent

    def find() -> str:
        return content_digest(files, record, also="names")

    assert content_or_last(find, tmp_path / "no", record) is None
    known = content_or_last(find, root, record)
    assert known == content_digest(files, also="names") != content_digest(files)
    files["a"].unlink()
    said = content_or_last(find, root, record)
    assert said is not None
    assert said.startswith("unreadable: ")
    for path in root.iterdir():
        path.unlink()
    root.rmdir()
    assert content_or_last(find, root, record) == known == last_content(record)
