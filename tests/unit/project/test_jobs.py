"""Every job has a log, one clear error, and a record of its failure."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import polars as pl
import pytest

from semasia.errors import EncoderError, StorageError
from semasia.jobs import job


def test_an_error_that_a_user_can_act_on_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, failure = tmp_path / "logs" / "a.log", tmp_path / "failures" / "a.json"
    with pytest.raises(SystemExit) as caught, job(log, failure=failure):
        warnings.warn("careful", stacklevel=1)
        raise EncoderError("x/y/z: no.\nmore")
    assert caught.value.code == 1
    assert capsys.readouterr().err == f"EncoderError: x/y/z: no.\nmore\n  log: {log}\n"
    text = log.read_text()
    assert "careful" in text
    assert "Traceback" in text
    assert json.loads(failure.read_text()) == {
        "error": "EncoderError",
        "message": "x/y/z: no.",
        "log": str(log),
        "may_pass": False,
    }
    with job(log, failure=failure):
        assert not failure.exists()
    assert "done in" in log.read_text()


def test_what_failed_for_good_is_not_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, failure = tmp_path / "a.log", tmp_path / "a.json"

    def run(error: Exception, attempt: int) -> bool:
        tried = False
        with pytest.raises(SystemExit), job(log, failure=failure, attempt=attempt):
            tried = True
            raise error
        return tried

    assert run(EncoderError("x/y/z: no."), 1)
    first = log.read_text()
    assert not run(EncoderError("another"), 2)
    assert "EncoderError: x/y/z: no.\n  not tried again; log:" in capsys.readouterr().err
    assert log.read_text() == first
    assert failure.exists()
    # A later run tries again, and its first try has nothing to do with the record of another run.
    assert run(StorageError("full"), 1)
    assert run(StorageError("full"), 2)
    failure.write_text("no record")
    assert run(StorageError("full"), 3)


def test_a_defect_keeps_its_traceback_and_is_recorded(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), job(tmp_path / "a.log", failure=tmp_path / "a.json"):
        1 / 0  # noqa: B018
    assert json.loads((tmp_path / "a.json").read_text())["error"] == "ZeroDivisionError"


def test_a_log_that_cannot_be_begun_fails_the_job_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    log, failure = tmp_path / "file" / "a.log", tmp_path / "a.json"
    said = f"{log}: the log could not be begun .*(Not a directory|File exists)"
    with pytest.raises(OSError, match=said) as caught, job(log, failure=failure):
        raise AssertionError("the block does not run")
    assert isinstance(caught.value, StorageError)
    assert json.loads(failure.read_text())["error"] == "LogError"


class _MuteError(Exception):
    def __str__(self) -> str:
        raise ValueError("cannot be told")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (EncoderError("x/y/z: no."), "EncoderError: x/y/z: no."),
        (StorageError("a: could not be written."), "StorageError: a: could not be written."),
        (MemoryError(), None),
        (pl.exceptions.ComputeError("\n\n  late\nmore"), None),
        (_MuteError(), None),
    ],
    ids=lambda e: type(e).__name__,
)
def test_a_log_on_a_full_disk_hides_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], error: Exception, told: str | None
) -> None:
    log = Path("/dev/full")
    expected = SystemExit if told else type(error)
    with pytest.raises(expected), job(log, failure=tmp_path / "a.json") as logger:
        logger.info("a line")
        logger.info("another")
        raise error
    lines = capsys.readouterr().err.splitlines()
    full = [line for line in lines if "the log could not be written (" in line]
    assert full == [f"{log}: the log could not be written ([Errno 28] No space left on device)"]
    assert not any("Logging error" in line for line in lines)
    assert (told in lines) if told else True
    record = json.loads((tmp_path / "a.json").read_text())
    assert record["error"] == type(error).__name__
    assert record["message"] in ("x/y/z: no.", "a: could not be written.", "no message", "late")


def test_a_panic_of_compiled_code_is_recorded(tmp_path: Path) -> None:
    class PanicException(BaseException):
        """As polars raises."""

    with (
        pytest.raises(PanicException),
        job(tmp_path / "a.log", failure=tmp_path / "a.json"),
    ):
        raise PanicException("index out of bounds")
    assert json.loads((tmp_path / "a.json").read_text())["message"] == "index out of bounds"
    assert "index out of bounds" in (tmp_path / "a.log").read_text()


def test_a_job_without_standard_error_tells_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr", None)
    with pytest.raises(SystemExit), job(tmp_path / "a.log", failure=tmp_path / "a.json"):
        raise EncoderError("x/y/z: no.")
    assert "x/y/z: no." in (tmp_path / "a.log").read_text()
    assert (tmp_path / "a.json").exists()
