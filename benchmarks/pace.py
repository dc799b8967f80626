"""What the engine needs beside the network, at the pace of an accelerator.

A stand-in takes the network's place: it returns stored vectors, at the times at which a device of
a given pace with two batches under way would. What the engine then reaches of that pace tells how
fast a device may be before loading, saving and compressing on this host hold it up. It says nothing
of preprocessing on a device, of copies to and from it, nor of any network.
"""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.extraction_run import prepared_split

_PACES = (500, 1000, 2000, 4000, math.inf)
_WIDTHS = {"resnet50": 2048, "vit_base_patch16_224": 768}
# Some ten seconds at every pace.
_SECONDS = 10
_MOST_ROWS = 40_000
_UNDER_WAY = 2


def run() -> dict[str, Any]:
    """Measure both widths at every pace; a result is a share of the pace, or images/s without."""
    table: dict[str, Any] = {}
    for name, width in _WIDTHS.items():
        table[name] = row = {"width": width, "shares": {}}
        for pace in _PACES:
            rows = int(min(pace * _SECONDS, _MOST_ROWS))
            with tempfile.TemporaryDirectory() as scratch:
                rate = _rate(width, pace, rows, Path(scratch))
            if math.isinf(pace):
                row["images_per_second_at_most"] = round(rate)
                print(f"{name:24} at most {rate:7.0f} images/s", flush=True)
            else:
                row["shares"][str(pace)] = round(rate / pace, 3)
                print(f"{name:24} {rate / pace:.3f} of {pace} images/s", flush=True)
    return {"stand_in": "the network is a stand-in", "table": table}


class _StandIn:
    name = "stand.in"
    # Neither a processor nor one that needs pinned memory.
    device = torch.device("meta")
    precision = type("Float32", (), {"name": "float32"})()

    def __init__(self, width: int, pace: float) -> None:
        self.width = width
        self._pace = pace
        values = np.random.default_rng(0).standard_normal((4096, width), np.float32)
        # A ResNet's vectors are rectified, a transformer's are not.
        self._values = torch.from_numpy(np.maximum(values, 0) if width == 2048 else values)
        self._busy_until = 0.0
        self._turn = 0

    def takes_pixels(self, shape: tuple[int, ...]) -> bool:
        return True

    def finish(self, batch: torch.Tensor) -> torch.Tensor:
        return batch

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        takes = len(inputs) / self._pace
        now = time.perf_counter()
        # Queued work lets the host be late by as much as is under way.
        self._busy_until = max(self._busy_until, now - _UNDER_WAY * takes) + takes
        time.sleep(max(self._busy_until - now, 0))
        self._turn = (self._turn + 389) % (len(self._values) - len(inputs))
        return self._values[self._turn : self._turn + len(inputs)]

    def encode(self, batch: torch.Tensor) -> np.ndarray:
        return self._values[: len(batch)].numpy()

    def repays_compiling(self) -> bool:
        return False

    def compile(self, engine: str) -> None:
        pass

    def describe(self) -> dict[str, Any]:
        return {
            "encoder": {"model_name": self.name, "width": self.width, "untrained": True},
            "preprocessing": {},
            "numerics": {"stored": "float32", "compute": "float32", "device": "stand-in"},
        }


def _rate(width: int, pace: float, rows: int, folder: Path) -> float:
    from semasia.extraction import Wishes, extract

    split = prepared_split(folder, "32x32x3", rows)
    told: list[tuple[int, float]] = []
    encoder: Any = _StandIn(width, pace)
    extract(
        encoder,
        split,
        folder / "latents" / "test.parquet",
        Wishes(batch_size=256, threads=2),
        progress=lambda done, *_: told.append((done, time.perf_counter())),
    )
    first, at = told[0]
    return (rows - first) / (time.perf_counter() - at)
