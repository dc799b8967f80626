"""A small version of the committed simulation (`python -m benchmarks simulation`)."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from benchmarks.simulation import SCENARIOS, SEED, Condition, conditions_of, coverage
from benchmarks.simulation import discoveries as simulate_discoveries

REPLICATIONS = 300


@pytest.fixture(scope="module")
def prepared(all_pairs: pl.DataFrame, registry: pl.DataFrame) -> dict[str, Condition]:
    small = all_pairs.filter(pl.col("condition") != "model_scale")
    some_scale = all_pairs.filter(condition="model_scale", family="ConvNeXt")
    return conditions_of(pl.concat([small, some_scale]), registry, "strict")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_effects_are_unbiased_and_covered(prepared: dict[str, Condition], scenario: str) -> None:
    for name, condition in prepared.items():
        row = coverage(condition, SCENARIOS[scenario], SEED, REPLICATIONS)
        assert abs(row["bias"]) < 4 * row["bias_monte_carlo_se"] + 1e-4, name
        assert row["coverage_by_network"] > 0.90, (name, row)
        assert row["coverage_hc3"] < row["coverage_by_network"], name
        if name != "model_scale":
            assert row["coverage_by_model"] > 0.92, (name, row)


def test_false_discoveries_stay_rare_under_the_null(prepared: dict[str, Condition]) -> None:
    rates = simulate_discoveries(prepared, SCENARIOS["models differ"], 0.0, 100)
    assert rates["both_bh"] <= 0.08
    assert rates["hc3_bh"] > 0.5


def test_the_committed_simulation_holds_its_promises(repository: Path) -> None:
    result = json.loads((repository / "benchmarks/results/simulation.json").read_text())
    assert len(result["coverage"]) == 20
    for row in result["coverage"]:
        assert abs(row["bias"]) < 4 * row["bias_monte_carlo_se"]
        assert row["coverage_by_network"] > 0.90
    assert all(row["both_bh"] <= 0.06 for row in result["false_discovery_rate"])
