"""One process makes all splits of a model; the other splits' jobs take what it made."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from semasia.errors import StoppedError, WeightsError
from semasia.extraction import Asked, Order, note_targets, sweep, take_turn
from semasia.extraction.ahead import key_of
from semasia.inputs import BenchmarkCard, prepare_split
from semasia.latents import Shard, only_writer
from semasia.registry import EncoderCard
from semasia.registry.content import weights_content

from unit.extraction.conftest import seeded

MODEL = "lcnet_050.seed0"
TARGETS = [
    (benchmark, MODEL, split) for benchmark in ("mnist_5k", "digits") for split in ("train", "test")
]


@pytest.fixture
def results(tmp_path: Path, repository: Path) -> Path:
    """Four splits of two benchmarks are prepared, and a run is to make all of them."""
    torch.set_num_threads(1)
    folder = tmp_path / "results"
    for benchmark, _, split in TARGETS:
        card = BenchmarkCard.model_validate(
            yaml.safe_load((repository / f"registry/benchmarks/{benchmark}.yaml").read_text())
        )
        order = Order(folder, benchmark, MODEL, split)
        prepare_split(card, split, cap=20, revision=None, data=order.data, facts=order.facts)
    note_targets(tmp_path / "run", TARGETS)
    return folder


def asked(**changes: Any) -> Asked:
    values: dict[str, Any] = {
        "encoder": seeded().model_dump(mode="json"),
        "preprocess": "device",
        "precision": "float32",
        "device": "cpu",
        "wishes": {"batch_size": 4, "batches_per_part": 2, "threads": 1},
        "together": True,
    }
    return Asked(**{**values, **changes})


def order(results: Path, target: tuple[str, str, str]) -> Order:
    return Order(results, *target)


def turn(results: Path, target: tuple[str, str, str], **changes: Any) -> None:
    take_turn(order(results, target), asked(**changes), results.parent / "run", 0.0)


def made(results: Path) -> list[bool]:
    """Return for each target whether it lies in the store."""
    return [any(order(results, t).store.glob("*.json")) for t in TARGETS]


def alone(results: Path, folder: Path) -> list[bytes]:
    """Return the shards made one by one, from the same inputs."""
    (folder / "inputs").symlink_to(results / "inputs")
    for target in TARGETS:
        turn(folder, target, together=False)
    return [order(folder, t).shard.read_bytes() for t in TARGETS]


def test_one_job_makes_all_and_the_others_take_them(results: Path, tmp_path: Path) -> None:
    turn(results, TARGETS[0])
    assert made(results) == [True] * 4
    assert order(results, TARGETS[0]).shard.exists()
    assert not any(order(results, t).shard.exists() for t in TARGETS[1:])

    # The other jobs do not even import torch.
    script = (
        "import json, sys\nfrom pathlib import Path\n"
        "from semasia.extraction import Asked, Order, take_turn\n"
        "results, asked, targets = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:]\n"
        "for target in targets:\n"
        "    order = Order(results, *target.split())\n"
        "    take_turn(order, Asked(**asked), results.parent / 'run', 0.0)\n"
        "print('torch' in sys.modules, 'polars' in sys.modules)\n"
    )
    words = [" ".join(t) for t in TARGETS[1:]]
    done = subprocess.run(
        [sys.executable, "-c", script, str(results), json.dumps(asked().__dict__), *words],
        capture_output=True,
        text=True,
    )
    assert done.stdout == "False False\n", done.stderr
    other = tmp_path / "alone"
    other.mkdir()
    assert [order(results, t).shard.read_bytes() for t in TARGETS] == alone(results, other)
    for target in TARGETS:
        row = json.loads(order(results, target).timings.read_text())
        assert (row["benchmark"], row["model_name"], row["split"], row["rows"]) == (*target, 20)

    # A scheduler that repeats a group deletes what its members made: they take it back.
    order(results, TARGETS[1]).shard.unlink()
    inode = order(results, TARGETS[1]).made(key_of_first(results, 1)).stat().st_ino
    turn(results, TARGETS[1])
    assert order(results, TARGETS[1]).shard.stat().st_ino == inode

    sweep(results, TARGETS)
    assert made(results) == [False] * 4
    assert not list(results.rglob(".*")), "nothing hidden is left of a finished run"


def key_of_first(results: Path, position: int) -> str:
    wanted = asked()
    return key_of(
        order(results, TARGETS[position]), wanted.encoder, wanted.preprocess, wanted.precision
    )


def test_what_was_made_otherwise_is_not_taken(results: Path) -> None:
    turn(results, TARGETS[0])
    turn(results, TARGETS[1], precision="bfloat16", together=True)
    assert Shard(order(results, TARGETS[1]).shard).provenance["numerics"]["compute"] == "bfloat16"
    # Other weights under the same name.
    other = asked().encoder | {"weights": {"source": "random", "seed": 1}}
    turn(results, TARGETS[2], encoder=other)
    assert Shard(order(results, TARGETS[2]).shard).provenance["encoder"]["weights"]["seed"] == 1
    # Other inputs.
    wanted = order(results, TARGETS[3])
    before = key_of_first(results, 3)
    facts = json.loads(wanted.facts.read_text())
    wanted.facts.write_text(json.dumps({**facts, "fingerprint": "0" * 64}))
    assert key_of_first(results, 3) != before


def test_notes_change_no_key_and_files_of_weights_do(results: Path, tmp_path: Path) -> None:
    first, card = order(results, TARGETS[0]), asked().encoder
    assert key_of(first, card | {"notes": "x"}, "device", "float32") == key_of(
        first, card, "device", "float32"
    )
    weights = tmp_path / "w.safetensors"
    weights.write_bytes(b"one")
    own = card | {"weights": {"source": "file", "path": str(weights)}}
    before = weights_content(EncoderCard.model_validate(own))
    weights.write_bytes(b"two")
    after = weights_content(EncoderCard.model_validate(own))
    keys = {key_of(first, own, "device", "float32", digest) for digest in (before, after, None)}
    assert len(keys) == 3


def test_a_split_that_cannot_be_made_is_left_to_its_own_job(
    results: Path, caplog: pytest.LogCaptureFixture
) -> None:
    order(results, TARGETS[1]).data.write_bytes(b"no split")
    order(results, TARGETS[2]).data.unlink()
    turn(results, TARGETS[0])
    assert made(results) == [True, False, False, True]
    assert "mnist_5k/test is left to its own job" in caplog.text


def test_weights_that_are_not_there_are_told_as_such(results: Path, tmp_path: Path) -> None:
    lost = asked().encoder | {"weights": {"source": "file", "path": str(tmp_path / "no.pth")}}
    with pytest.raises(WeightsError, match=r"no.pth: there is no such file of weights"):
        turn(results, TARGETS[0], encoder=lost)


def test_a_split_that_another_process_works_on_is_left_to_it(results: Path) -> None:
    with only_writer(order(results, TARGETS[2]).shard):
        turn(results, TARGETS[0])
    assert made(results) == [True, True, False, True]


def test_a_job_that_waits_takes_what_the_other_made(results: Path) -> None:
    """The job of a split begins while another process is making it ahead."""
    waiting = threading.Thread(target=turn, args=(results, TARGETS[1]))
    with only_writer(order(results, TARGETS[1]).shard):
        waiting.start()
        turn(results, TARGETS[0])
        # As the other process leaves it when it is done: in the store, under the lock.
        first, second = order(results, TARGETS[0]), order(results, TARGETS[1])
        target = second.made(key_of_first(results, 1))
        target.parent.mkdir(exist_ok=True)
        os.link(first.shard, target)
        target.with_suffix(".json").write_text("{}\n")
        waiting.join(timeout=60)
        assert not waiting.is_alive()
    assert second.shard.samefile(first.shard)


def test_sigterm_while_making_ahead_fails_nothing(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from semasia.extraction import engine

    whole = engine.extract

    def interrupted(encoder: Any, prepared: Any, path: Path, *rest: Any, **options: Any) -> Any:
        def term(done: int, *_: object) -> None:
            if path.parts[-3] == "digits" and done == 8:
                os.kill(os.getpid(), signal.SIGTERM)

        return whole(encoder, prepared, path, *rest, **{**options, "progress": term})

    monkeypatch.setattr(engine, "extract", interrupted)
    turn(results, TARGETS[0])
    assert made(results) == [True, True, False, False]
    kept = order(results, TARGETS[2]).shard.parent.rglob("rows-*.arrow")
    assert [p.name[:24] for p in kept] == [f"rows-{0:09d}-{8:09d}"]
    # Its own job goes on from there; a signal during its own shard does end it.
    with pytest.raises(StoppedError):
        turn(results, TARGETS[3])
    monkeypatch.setattr(engine, "extract", whole)
    turn(results, TARGETS[2])
    row = json.loads(order(results, TARGETS[2]).timings.read_text())
    assert row["rows_resumed"] == 8
