"""Rows drawn at random come out again; one that was altered does not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from semasia.audit.finding import ShardRecord
from semasia.audit.recompute import draw
from semasia.cli import main
from semasia.encoders import TimmEncoder
from semasia.inputs import PreparedSplit
from semasia.registry import EncoderCard

from unit.audit.making import ROWS, Verify, revalued, rewritten, write_shard

CARD = {
    "name": "lcnet_050.untrained",
    "architecture": "lcnet_050",
    "weights": {"source": "random", "seed": 5},
    "data_config": {"input_size": [3, 64, 64]},
}


@pytest.fixture(scope="session")
def extracted(
    tmp_path_factory: pytest.TempPathFactory, prepared: PreparedSplit, prepared_files: Path
) -> Path:
    """Extract twelve digits with an untrained lcnet_050; returns the results folder."""
    folder = tmp_path_factory.mktemp("extracted") / "results"
    encoder = TimmEncoder(EncoderCard.model_validate(CARD), "cpu")
    images = [encoder.preprocess(prepared.image(i)) for i in range(ROWS)]
    path = folder / "latents/mnist_5k" / encoder.name / "test.parquet"
    write_shard(path, prepared, encoder.describe(), encoder.encode(torch.stack(images)))
    shutil.copytree(prepared_files, folder / "inputs")
    return folder


@pytest.fixture
def known(registry: Path) -> Path:
    """Put the card into a model set of the registry."""
    text = yaml.safe_dump({"description": "One.", "models": [CARD]})
    (registry / "models/one.yaml").write_text(text)
    return registry


@pytest.fixture
def copy(extracted: Path, tmp_path: Path, known: Path) -> Path:
    """A copy of the extracted collection, its shard to be damaged."""
    return shutil.copytree(extracted, tmp_path / "results")


def shard(folder: Path) -> Path:
    return folder / "latents/mnist_5k/lcnet_050.untrained/test.parquet"


@pytest.mark.parametrize("rows", [1, 5, ROWS, 1000])
def test_sound_rows_come_out_again(rows: int, extracted: Path, known: Path, verify: Verify) -> None:
    status, output = verify(extracted, "--recompute", str(rows), "--format", "json")
    assert status == 0
    found = json.loads(output)["recomputation"]
    assert found["compared"] == min(rows, ROWS)
    assert (found["networks"], found["shards"], found["unavailable"]) == (1, 1, [])
    assert found["lowest_cosine"] > 0.99999
    assert found["largest_error"] < 1e-3


def noise(latents: np.ndarray) -> None:
    latents[7] = np.random.default_rng(0).standard_normal(latents.shape[1])


def scaled(latents: np.ndarray) -> None:
    latents[7] *= 1.5


def exchanged(latents: np.ndarray) -> None:
    latents[[7, 8]] = latents[[8, 7]]


@pytest.mark.parametrize("change", [noise, scaled, exchanged])
def test_an_altered_row_with_digests_to_match_is_caught(
    change: Callable[[np.ndarray], None], copy: Path, prepared: PreparedSplit, verify: Verify
) -> None:
    rewritten(shard(copy), revalued(change), seal=True)
    assert verify(copy)[0] == 0, "nothing else can tell"
    status, output = verify(copy, "--recompute", str(ROWS))
    assert status == 1
    assert f"values      {shard(copy)}: the vector of id {prepared.ids[7]} does not" in output
    assert output.count("does not come out again") == (2 if change is exchanged else 1)
    assert output.endswith("1 shard: 0 sound, 1 damaged\n")


def test_many_altered_rows_are_counted(copy: Path, verify: Verify) -> None:
    rewritten(shard(copy), revalued(lambda x: np.negative(x, out=x)), seal=True)
    status, output = verify(copy, "--recompute", "100")
    assert status == 1
    assert output.count("does not come out again: cosine -1.000000 (at least 0.9999)") == 5
    assert f"{ROWS - 5} more of {ROWS} rows do not either" in output


def test_reduced_precision_has_a_wider_tolerance(copy: Path, verify: Verify) -> None:
    def blur(latents: np.ndarray) -> None:
        rng = np.random.default_rng(0)
        noise = rng.standard_normal(latents.shape).astype(np.float32)
        length = np.linalg.norm(latents, axis=1, keepdims=True)
        latents += 0.03 * length * noise / np.linalg.norm(noise, axis=1, keepdims=True)

    rewritten(shard(copy), revalued(blur), seal=True)
    status, output = verify(copy, "--recompute", str(ROWS))
    assert status == 1
    assert "(at least 0.9999), relative error 0.03 (at most 0.02)" in output
    rewritten(shard(copy), provenance=lambda p: p["numerics"].update(compute="bfloat16"))
    assert verify(copy, "--recompute", str(ROWS))[0] == 0


def test_other_weights_are_told(copy: Path, known: Path, verify: Verify) -> None:
    other = {**CARD, "weights": {"source": "random", "seed": 6}}
    text = yaml.safe_dump({"description": "One.", "models": [other]})
    (known / "models/one.yaml").write_text(text)
    status, output = verify(copy, "--recompute", str(ROWS))
    assert status == 1
    assert f"weights     {shard(copy)}: the weights loaded have SHA-256" in output
    assert "values      " in output


def test_other_preprocessing_is_told(copy: Path, known: Path, verify: Verify) -> None:
    other = {**CARD, "data_config": {"input_size": [3, 96, 96]}}
    text = yaml.safe_dump({"description": "One.", "models": [other]})
    (known / "models/one.yaml").write_text(text)
    status, output = verify(copy, "--recompute", "1")
    assert status == 1
    assert "preprocessing differs: input_size was [3, 64, 64], is [3, 96, 96]" in output


def test_a_configurations_card_comes_first(
    copy: Path, known: Path, tmp_path: Path, verify: Verify, repository: Path
) -> None:
    (known / "models/one.yaml").unlink()
    cards = tmp_path / "mine.yaml"
    cards.write_text(yaml.safe_dump({"description": "One.", "models": [CARD]}))
    shutil.copytree(repository / "registry/benchmarks", known / "benchmarks")
    config = tmp_path / "config.yaml"
    config.write_text(
        yaml.safe_dump({"benchmarks": [{"name": "mnist_5k"}], "models": {"file": str(cards)}})
    )
    status, output = verify(copy, "--recompute", "2")
    assert status == 1
    assert "not recomputed: lcnet_050.untrained: cannot be recomputed (2 rows of 1 sh" in output
    assert "its weights are random, and no card of that name" in output
    assert "recomputed: none of 2 rows" in output
    assert output.endswith("1 shard: 1 sound, 0 damaged\n")
    assert verify(copy, "--recompute", "2", "--config", config)[0] == 0


def test_without_inputs_nothing_can_be_recomputed(
    copy: Path, verify: Verify, prepared_files: Path
) -> None:
    shutil.rmtree(copy / "inputs")
    status, output = verify(copy, "--recompute", "2")
    assert status == 1
    assert "there are no prepared inputs of mnist_5k/test" in output
    assert "give --inputs" in output
    assert verify(copy, "--recompute", "2", "--inputs", prepared_files)[0] == 0


def test_a_network_that_cannot_be_built_stops_no_other(
    copy: Path, results: Path, prepared: PreparedSplit, verify: Verify
) -> None:
    for name in ("a.x", "b.y", "c.z"):
        rewritten(
            results / "latents/mnist_5k" / name / "test.parquet",
            provenance=lambda p: p["encoder"].update(weights={"source": "hub"}),
        )
    status, output = verify(copy, "--recompute", "1000")
    assert status == 0
    assert output.count("cannot be recomputed (12 rows of 1 shards)") == 3
    assert f"recomputed: {ROWS} rows of 1 shards with 1 networks" in output


def test_unsound_shards_are_not_recomputed(copy: Path, verify: Verify) -> None:
    rewritten(shard(copy), revalued(noise))
    status, output = verify(copy, "--recompute", "3")
    assert status == 1
    assert "no sound shard with provenance to draw rows from" in output


def test_a_built_collection_is_sound(demo_collection: Path) -> None:
    assert main(["verify", str(demo_collection), "--recompute", "5"]) == 0


def records(*rows: int) -> list[ShardRecord]:
    return [ShardRecord(Path(f"{i}"), (), "semasia", rows=n) for i, n in enumerate(rows)]


def test_rows_are_drawn_over_all_shards_without_repetition() -> None:
    shards = records(1000, 10, 3000)
    drawn = draw(shards, 400, seed=3)
    assert sum(len(d.positions) for d in drawn) == 400
    for one in drawn:
        assert len(np.unique(one.positions)) == len(one.positions)
        assert np.all(np.diff(one.positions) > 0)
        assert one.positions.min() >= 0
        assert one.positions.max() < (one.record.rows or 0)
    shares = {d.record.path.name: len(d.positions) for d in drawn}
    assert 60 < shares["0"] < 140
    assert shares["2"] > 240
    again = draw(shards, 400, seed=3)
    assert all(np.array_equal(a.positions, b.positions) for a, b in zip(drawn, again, strict=True))
    assert any(
        not np.array_equal(a.positions, b.positions)
        for a, b in zip(drawn, draw(shards, 400, seed=4), strict=False)
    )
    assert [d.positions.tolist() for d in draw(records(2, 0, 3), 9, seed=0)] == [[0, 1], [0, 1, 2]]
    assert draw([], 5, seed=0) == []
