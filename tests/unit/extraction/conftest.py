"""Small prepared splits of real digits, and small encoders to run over them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from semasia.encoders import Encoder, TimmEncoder
from semasia.extraction import Wishes, extract
from semasia.inputs import BenchmarkCard, PreparedSplit, prepare_split
from semasia.registry import EncoderCard


@pytest.fixture(scope="session")
def digits(
    tmp_path_factory: pytest.TempPathFactory, repository: Path
) -> Callable[[int], PreparedSplit]:
    """Prepare a number of the 1,000 test digits."""
    card = BenchmarkCard.model_validate(
        yaml.safe_load((repository / "registry/benchmarks/mnist_5k.yaml").read_text())
    )

    def make(rows: int) -> PreparedSplit:
        folder = tmp_path_factory.mktemp("digits") / "mnist_5k"
        files = folder / "test.arrow", folder / "test.json"
        prepare_split(card, "test", cap=rows, revision=None, data=files[0], facts=files[1])
        return PreparedSplit.open(*files)

    return make


def seeded(architecture: str = "lcnet_050", name: str = "lcnet_050.seed0") -> EncoderCard:
    """Return the card of a small network with seeded weights and 32×32 inputs."""
    return EncoderCard.model_validate(
        {
            "name": name,
            "architecture": architecture,
            "weights": {"source": "random", "seed": 0},
            "data_config": {"input_size": [3, 32, 32]},
        }
    )


class EnoughError(Exception):
    """Ends a run that is to be resumed."""


def interrupted(
    encoder: Encoder, prepared: PreparedSplit, path: Path, wishes: Wishes, rows: int
) -> None:
    """Extract until so many rows are computed, and fall over."""

    def stop(done: int, *_: object) -> None:
        if done >= rows:
            raise EnoughError

    with pytest.raises(EnoughError):
        extract(encoder, prepared, path, wishes, progress=stop)


def large(device: str) -> TimmEncoder:
    """Return a network whose batches need much memory."""
    found = TimmEncoder(seeded("resnet10t", "resnet10t.seed0"), device, preprocess="device")
    found.preprocessing._config["input_size"] = (3, 256, 256)  # type: ignore[attr-defined]
    return found
