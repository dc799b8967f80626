"""kill -9 at random moments, again and again: the shard is the uninterrupted one, byte for byte.

``make soak`` runs the same with hundreds of kills (SEMASIA_KILLS) and keeps the result.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import torch

from semasia.encoders import TimmEncoder
from semasia.extraction import Wishes, extract
from semasia.inputs import PreparedSplit

from unit.extraction.conftest import seeded

ROWS = 400
WISHES = Wishes(batch_size=4, batches_per_part=3)
PART = 12


def run(prepared: PreparedSplit, path: Path, log: Path) -> None:
    """Extract in a child process, noting every batch that the network has computed."""
    torch.set_num_threads(1)
    encoder = TimmEncoder(seeded(), "cpu", preprocess="device")
    forward = encoder.forward

    def noted(inputs: torch.Tensor) -> torch.Tensor:
        latents = forward(inputs)
        with log.open("a") as file:
            file.write(f"{len(latents)}\n")
        return latents

    encoder.forward = noted  # type: ignore[method-assign]
    extract(encoder, prepared, path, WISHES)


def child(prepared: PreparedSplit, path: Path, log: Path) -> multiprocessing.Process:
    # Forked, so that each of the many runs does not import torch anew.
    process = multiprocessing.get_context("fork").Process(target=run, args=(prepared, path, log))
    process.start()
    return process


def test_kills_at_random_moments_change_no_byte(
    tmp_path: Path, digits: Callable[[int], PreparedSplit]
) -> None:
    torch.set_num_threads(1)
    wanted = int(os.environ.get("SEMASIA_KILLS", "30"))
    prepared = digits(ROWS)
    whole = tmp_path / "whole" / "test.parquet"
    began = time.monotonic()
    process = child(prepared, whole, tmp_path / "whole.log")
    process.join()
    duration = time.monotonic() - began
    assert process.exitcode == 0
    expected = whole.read_bytes()

    moments = random.Random(7)
    kills = shards = computed = worst = 0
    while kills < wanted:
        path = tmp_path / f"killed{shards}" / "test.parquet"
        log = tmp_path / f"killed{shards}.log"
        killed_here = 0
        finished = False
        while not finished:
            process = child(prepared, path, log)
            # Up to a little more than a whole run, most of them early on.
            process.join(timeout=duration * 1.2 * moments.random() ** 2)
            if process.is_alive():
                os.kill(process.pid, signal.SIGKILL)
                killed_here += 1
            process.join()
            assert process.exitcode in (0, -signal.SIGKILL)
            finished = process.exitcode == 0
        assert path.read_bytes() == expected
        assert [p.name for p in path.parent.iterdir() if "tmp" in p.name or "parts" in p.name] == []
        rows = sum(map(int, log.read_text().split())) if log.exists() else 0
        again = rows - ROWS
        assert again <= killed_here * PART, (rows, killed_here)
        worst = max(worst, again)
        kills, shards, computed = kills + killed_here, shards + 1, computed + rows
    result = {
        "kills": kills,
        "shards": shards,
        "rows_each": ROWS,
        "rows_per_part": PART,
        "rows_computed": computed,
        "rows_computed_again_per_kill": round((computed - shards * ROWS) / kills, 2),
        "byte_identical": shards,
    }
    print(json.dumps(result))
    if target := os.environ.get("SEMASIA_SOAK_RESULT"):
        Path(target).write_text(json.dumps(result, indent=1) + "\n")
