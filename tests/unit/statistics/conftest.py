"""Registry rows and geometry tables made for the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from semasia.registry.selection import read_registry
from semasia.statistics.pairing import contrasts_of_set
from semasia.statistics.stacking import METRICS


@pytest.fixture(scope="session")
def registry(repository: Path) -> pl.DataFrame:
    return read_registry(repository / "registry")


@pytest.fixture(scope="session")
def all_pairs(repository: Path) -> pl.DataFrame:
    return contrasts_of_set(repository / "registry")


@pytest.fixture
def geometry_of(rng: np.random.Generator) -> Callable[..., pl.DataFrame]:
    """Return a maker of geometry tables of noise: models × benchmarks, one effect per model."""

    def make(models: list[str], benchmarks: tuple[str, ...] = ("a", "b"), **values: Any) -> Any:
        own = rng.normal(size=(len(models), len(METRICS)))
        frames = [
            pl.DataFrame(
                {
                    "benchmark": benchmark,
                    "split": "test",
                    "model_name": models,
                    "untrained": False,
                    "rows": 100,
                    **dict(zip(METRICS, (own + rng.normal(size=own.shape) / 2).T, strict=True)),
                }
            )
            for benchmark in benchmarks
        ]
        return pl.concat(frames).with_columns(**values)

    return make
