"""Every job has a log, one clear error, and a record of its failure."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

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


def test_a_log_that_cannot_be_written_fails_the_job(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"), job(tmp_path / "file" / "a.log"):
        pass
