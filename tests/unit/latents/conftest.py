"""A prepared split without any image work, and shards written from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from semasia.inputs import BenchmarkCard, PreparedSplit, prepare_split
from semasia.latents import Plan, ShardWriter, provenance_of


@pytest.fixture(scope="session")
def prepared_files(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """Prepare 50 of the 1,000 test digits; returns the folder."""
    folder = tmp_path_factory.mktemp("prepared") / "inputs" / "mnist_5k"
    card = BenchmarkCard.model_validate(
        yaml.safe_load((repository / "registry/benchmarks/mnist_5k.yaml").read_text())
    )
    data, facts = folder / "test.arrow", folder / "test.json"
    prepare_split(card, "test", cap=50, revision=None, data=data, facts=facts)
    return folder


@pytest.fixture(scope="session")
def prepared(prepared_files: Path) -> PreparedSplit:
    """Return 50 of the 1,000 test digits."""
    return PreparedSplit.open(prepared_files / "test.arrow", prepared_files / "test.json")


def described(width: int, name: str = "tiny.seed0", **extra: Any) -> dict[str, Any]:
    """Return what an encoder of that width would say of itself."""
    return {
        "encoder": {"model_name": name, "width": width, "untrained": True, **extra},
        "preprocessing": {"input_size": [3, 8, 8]},
        "numerics": {"stored": "float32", "compute": "float32", "device": "cpu"},
    }


@pytest.fixture
def write(prepared: PreparedSplit) -> Callable[..., np.ndarray]:
    """Write a shard of random latents; returns them."""

    def make(path: Path, width: int = 7, name: str = "tiny.seed0", batch: int = 8) -> np.ndarray:
        latents = np.random.default_rng(width).standard_normal((50, width)).astype(np.float32)
        writer = ShardWriter(path, prepared, provenance_of(prepared, described(width, name)))
        writer.begin(Plan(batch, 2 * batch))
        for rows in writer.missing():
            writer.save(rows, latents[rows.start : rows.stop])
            writer.assemble(rows, latents[rows.start : rows.stop])
        writer.finish()
        return latents

    return make
