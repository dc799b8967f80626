"""What it costs an analysis to hold a shard's values to their digest.

The geometric metrics are the cheapest analysis of all rows, so the share is largest there.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.extraction_run import prepared_split
from benchmarks.geometry import latents
from semasia.geometry.metrics import metrics_of, spectrum
from semasia.geometry.moments import moments
from semasia.latents import Plan, Shard, ShardWriter, provenance_of

ROWS, WIDTH = 20_000, 1280
_TURNS = 7


def run() -> dict[str, Any]:
    """Read, read and compare, and analyse both ways, in turns."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "shard" / "test.parquet"
        _write(path, Path(scratch))
        ways: dict[str, Callable[[], object]] = {
            "decode": lambda: _read(Shard(path)),
            "decode and compare": lambda: Shard(path).verify(),
            "metrics": lambda: _metrics(Shard(path)),
            "metrics, compared": lambda: _metrics(Shard(path, held=True)),
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(_TURNS):
            for name, way in ways.items():
                began = time.perf_counter()
                way()
                times[name].append(time.perf_counter() - began)
    seconds = {name: round(statistics.median(taken), 3) for name, taken in times.items()}
    apart = [b / a for a, b in zip(times["metrics"], times["metrics, compared"], strict=True)]
    print(seconds, flush=True)
    return {
        "rows": ROWS,
        "width": WIDTH,
        "seconds": seconds,
        "metrics_ratio": round(statistics.median(apart), 3),
    }


def _write(path: Path, folder: Path) -> None:
    split = prepared_split(folder, "digits", ROWS)
    about = {
        "encoder": {"model_name": "bench", "width": WIDTH, "untrained": True},
        "preprocessing": {"input_size": [3, 28, 28]},
        "numerics": {"stored": "float32", "compute": "float32", "device": "cpu"},
    }
    values = latents(ROWS, WIDTH)
    writer = ShardWriter(path, split, provenance_of(split, about))
    writer.begin(Plan(500, 5000))
    for rows in writer.missing():
        writer.save(rows, values[rows.start : rows.stop])
        writer.assemble(rows, values[rows.start : rows.stop])
    writer.finish()


def _read(shard: Shard) -> None:
    for _ in shard.blocks():
        pass


def _metrics(shard: Shard) -> None:
    known = moments(shard.blocks())
    metrics_of(known, spectrum(known), shard.blocks)
