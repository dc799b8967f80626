"""What the tests of inputs share: a cache and files of their own, and no way to the network."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import datasets
import pytest
from hypothesis import settings

from semasia.inputs import BenchmarkCard, PreparedSplit, prepare_split

# A test asserts no wall-clock time: a busy machine is not a defect.
settings.register_profile("semasia", deadline=None)
settings.load_profile("semasia")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep `datasets` out of the user's cache, and any test that would reach out from passing."""

    def refuse(*_: object) -> None:
        raise AssertionError("a test of inputs tried to reach the network")

    cache = tmp_path_factory.getbasetemp() / "datasets_cache"
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(cache))
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="session", autouse=True)
def _no_progress_bars() -> None:
    datasets.disable_progress_bars()


@pytest.fixture
def prepare(tmp_path: Path) -> Callable[..., PreparedSplit]:
    """Prepare a split below ``tmp_path`` and open what was written."""

    def run(
        card: BenchmarkCard,
        split: str,
        *,
        cap: int | None = None,
        revision: str | None = None,
        threads: int = 1,
        folder: str = "prepared",
    ) -> PreparedSplit:
        data = tmp_path / folder / f"{split}.arrow"
        facts = tmp_path / folder / f"{split}.json"
        prepare_split(
            card,
            split,
            cap=cap,
            strata=getattr(card, "strata", None),
            revision=revision,
            data=data,
            facts=facts,
            threads=threads,
        )
        return PreparedSplit.open(data, facts)

    return run
