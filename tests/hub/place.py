"""A folder with a built collection, and what may be done there with a Hub at hand."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from .running import RunningHub

REPOSITORY = Path(__file__).parents[2]


class Place:
    """A folder with a built collection, and what may be done there."""

    def __init__(self, folder: Path, hub: RunningHub) -> None:
        self.folder, self.hub = folder, hub
        self.config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
        self.config["benchmarks"][0]["rows"] = {"train": 60, "test": 30}
        self.config["hub"] = {"namespace": "tester"}

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "config.yaml").write_text(yaml.safe_dump(self.config))
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**self.hub.environment, **environment},
            capture_output=True,
            text=True,
        )

    def snakemake(self, *targets: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Build targets of the collection, or plan to."""
        return self.run(
            *(sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "config.yaml"),
            *("--snakefile", str(REPOSITORY / "workflow" / "Snakefile"), "--", *targets),
            **environment,
        )

    def semasia(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command on the collection."""
        program = str(Path(sys.executable).with_name("semasia"))
        return self.run(program, *arguments, "--config", "config.yaml", **environment)

    def shards(self) -> list[Path]:
        return sorted(self.folder.glob("results/latents/*/*/*.parquet"))


def copied(source: Path, folder: Path, hub: RunningHub) -> Place:
    """Return a place with the same files as a results folder has, linked."""
    shutil.copytree(source, folder / "results", copy_function=_link)
    # What Snakemake knows of how the files were made.
    shutil.copytree(source.parent / ".snakemake", folder / ".snakemake")
    return Place(folder, hub)


def _link(source: str, target: str) -> None:
    os.link(source, target)
