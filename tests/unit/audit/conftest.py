"""Twelve prepared digits, and a small collection of three models on them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from semasia.cli import main
from semasia.inputs import BenchmarkCard, PreparedSplit, prepare_split

from unit.audit.making import ROWS, WIDTHS, Verify, described, write_shard


@pytest.fixture(scope="session")
def prepared_files(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """Prepare 12 of the 1,000 test digits; returns the folder of inputs."""
    folder = tmp_path_factory.mktemp("prepared") / "inputs"
    card = BenchmarkCard.model_validate(
        yaml.safe_load((repository / "registry/benchmarks/mnist_5k.yaml").read_text())
    )
    data, facts = folder / "mnist_5k/test.arrow", folder / "mnist_5k/test.json"
    prepare_split(card, "test", cap=ROWS, revision=None, data=data, facts=facts)
    return folder


@pytest.fixture(scope="session")
def prepared(prepared_files: Path) -> PreparedSplit:
    folder = prepared_files / "mnist_5k"
    return PreparedSplit.open(folder / "test.arrow", folder / "test.json")


@pytest.fixture
def results(tmp_path: Path, prepared: PreparedSplit) -> Path:
    """Write a sound collection without inputs; returns its results folder."""
    folder = tmp_path / "results"
    for name, width in WIDTHS.items():
        latents = np.random.default_rng(width).standard_normal((ROWS, width)).astype(np.float32)
        path = folder / "latents/mnist_5k" / name / "test.parquet"
        write_shard(path, prepared, described(name, width), latents)
    return folder


@pytest.fixture
def with_inputs(results: Path, prepared_files: Path) -> Path:
    """Put the prepared inputs beside the latents of the collection."""
    shutil.copytree(prepared_files, results / "inputs")
    return results


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """A registry that knows the three models."""
    folder = tmp_path / "registry"
    (folder / "models").mkdir(parents=True)
    pl.DataFrame(
        {
            "model_name": [*WIDTHS, "unbuilt"],
            "architecture": [*(name[0] for name in WIDTHS), "u"],
            "latent_dim": [*WIDTHS.values(), None],
        }
    ).write_parquet(folder / "registry.parquet")
    return folder


@pytest.fixture
def verify(registry: Path, capsys: pytest.CaptureFixture[str]) -> Verify:
    """Run ``semasia verify``; returns exit status and output."""

    def run(*arguments: str | Path) -> tuple[int, str]:
        status = main(["verify", *map(str, arguments), "--registry", str(registry)])
        return status, capsys.readouterr().out

    return run
