"""The console command on consoles of any encoding, into pipes, and without a command."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def semasia(*words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "semasia", *words],
        capture_output=True,
        env={**os.environ, **environment},
        timeout=120,
    )


@pytest.mark.parametrize(
    ("environment", "encoding"),
    [
        ({"PYTHONIOENCODING": "ascii"}, "ascii"),
        ({"PYTHONIOENCODING": "latin-1"}, "latin-1"),
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "ascii"),
        ({"PYTHONIOENCODING": "utf-8"}, "utf-8"),
    ],
)
def test_what_a_console_cannot_show_ends_no_command(
    environment: dict[str, str], encoding: str
) -> None:
    done = semasia("models", "--set", "demo", **environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "5 models" in done.stdout.decode(encoding) and b"\\u" not in done.stdout
    done = semasia("models", "--columns", "größe…≤", **environment)
    assert done.returncode == 1 and b"Traceback" not in done.stderr
    assert "there is no column" in done.stderr.decode(encoding)


def test_without_a_command_there_is_help() -> None:
    done = semasia()
    assert done.returncode == 2 and b"usage: semasia" in done.stderr and b"verify" in done.stderr
    done = semasia("no-such")
    assert done.returncode == 2 and b"invalid choice: 'no-such'" in done.stderr


def test_a_reader_that_leaves_is_no_fault() -> None:
    command = f"{sys.executable} -m semasia models --format csv | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"model_name,")
