"""Machine code is kept where it can be, and made anew where not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import semasia

CODE = """
import semasia
from semasia.geometry.graphs import Graph, cycle_length
print(semasia.__file__)
print(cycle_length(Graph.from_edges(3, [(0, 1), (1, 2), (2, 0)])))
"""


def test_works_where_no_cache_can_be_written(tmp_path: Path) -> None:
    """Files stand where cache folders would be made, so that not even root can write there."""
    shutil.copytree(
        Path(semasia.__file__).parent,
        tmp_path / "semasia",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (tmp_path / "semasia/neighbours/__pycache__").write_text("not a folder")
    home = tmp_path / "home"
    home.write_text("not a folder")
    environment = {
        **os.environ,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home),
        "PYTHONPATH": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(tmp_path / "semasia" / "__init__.py"), "3.0"]


def test_a_module_named_coverage_that_numba_would_find_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "coverage.py").write_text("raise NameError('a script of that name')")
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}){CODE}"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "3.0"
