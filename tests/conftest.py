"""What several test folders share: small prepared splits, and a built collection."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

REPOSITORY = Path(__file__).parent.parent


# Where tests run in two processes: those that wait most begin; the longest are not the last.
_FIRST = ("slurm", "workflow")


def _folder(file: Path) -> str:
    return file.relative_to(REPOSITORY / "tests").parts[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring those that wait most to the front."""

    def rank(item: pytest.Item) -> int:
        folder = _folder(item.path)
        return _FIRST.index(folder) if folder in _FIRST else len(_FIRST)

    items.sort(key=rank)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep together what shares a cluster, a built collection, or a file's fixtures.

    By a scheduler of our own, as xdist 3.8 puts the names of its groups where pytest 9.2 no longer
    looks.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid.partition("::")[0])

    return Together(config, log)


@functools.cache
def _group(file: str) -> str:
    path = REPOSITORY / file
    if _folder(path) == "slurm":
        return "cluster"
    # By itself, or in a fixture of the Hub's.
    asked = ("demo_collection", "place: Place")
    return "built collection" if any(a in path.read_text() for a in asked) else file


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def run_workflow() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run snakemake on a configuration in a folder of its own; returns the finished process."""

    def run(
        folder: Path, config: dict | str, *arguments: str, **options: object
    ) -> subprocess.CompletedProcess[str]:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "config.yaml"
        text = config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False)
        path.write_text(text)
        return subprocess.run(
            workflow_command(folder, *arguments),
            capture_output=True,
            text=True,
            env=clean_environment(),
            **options,
        )

    return run


def workflow_command(folder: Path, *arguments: str) -> list[str]:
    """Return the command that builds the collection configured in ``folder/config.yaml``."""
    return [
        *(sys.executable, "-m", "snakemake", "--cores", "2"),
        *("--snakefile", str(REPOSITORY / "workflow" / "Snakefile")),
        *("--directory", str(folder), "--configfile", str(folder / "config.yaml")),
        *arguments,
    ]


def planned_jobs(output: str) -> dict[str, int]:
    """Return the number of jobs per rule that a dry run announced."""
    return {m[1]: int(m[2]) for m in re.finditer(r"^(\w+) +(\d+)$", output, re.MULTILINE)}


def clean_environment() -> dict[str, str]:
    """Return an environment in which no Hub can be reached by mistake."""
    return {**os.environ, "HF_HUB_OFFLINE": "1"}


@pytest.fixture(scope="session")
def demo_collection(
    tmp_path_factory: pytest.TempPathFactory,
    run_workflow: Callable[..., subprocess.CompletedProcess[str]],
) -> Path:
    """Build every model of the embedded default on a few images; returns its results folder."""
    folder = tmp_path_factory.mktemp("collection")
    config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
    config["benchmarks"][0]["rows"] = {"train": 60, "test": 30}
    done = run_workflow(folder, config)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "output.txt").write_text(done.stdout + done.stderr)
    return folder / "results"


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20260510)
