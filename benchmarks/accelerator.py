"""On an accelerator: the engine's rate against the network's own on resident tensors.

The bound that no engine can pass is the forward pass alone, on tensors that are on the device
already, at the same precision and batch size. The engine's rate is that of a whole shard, from the
first batch to the finished file.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.extraction_run import prepared_split, seeded

_ARCHITECTURES = ("resnet50", "vit_base_patch16_224")
_PRECISIONS = ("float32", "tf32", "bfloat16")
_IMAGES = "32x32x3"
_ROWS = 40_000
_SECONDS = 5.0


def run() -> dict[str, Any]:
    """Measure on the first NVIDIA device; without one, say so and measure nothing."""
    if not torch.cuda.is_available():
        print("no accelerator here: nothing measured")
        return {"skipped": "no accelerator"}
    table = measured("cuda", _ARCHITECTURES, _PRECISIONS, _ROWS, _SECONDS)
    return {"device": torch.cuda.get_device_name().replace(" ", "-"), "rows": _ROWS, "table": table}


def measured(
    device: str,
    architectures: tuple[str, ...],
    precisions: tuple[str, ...],
    rows: int,
    seconds: float,
) -> dict[str, Any]:
    """Return, per network and precision, both rates in images per second and their ratio."""
    table = {}
    with tempfile.TemporaryDirectory() as scratch:
        split = prepared_split(Path(scratch), _IMAGES, rows)
        for architecture in architectures:
            for precision in precisions:
                key = f"{architecture} {precision}"
                path = Path(scratch, key.replace(" ", "."), "test.parquet")
                table[key] = row = _one(device, architecture, precision, split, path, seconds)
                print(f"{key:32} {row}", flush=True)
    return table


def _one(
    device: str, architecture: str, precision: str, split: Any, path: Path, seconds: float
) -> dict[str, Any]:
    from semasia.encoders import TimmEncoder
    from semasia.extraction import Wishes, extract

    encoder = TimmEncoder(seeded(architecture), device, preprocess="device", precision=precision)
    told: list[tuple[int, float]] = []
    timings = extract(
        encoder,
        split,
        path,
        Wishes(threads=8),
        progress=lambda done, *_: told.append((done, time.perf_counter())),
    )
    ended = time.perf_counter()
    first, at = told[0]
    engine = (len(split) - first) / (ended - at)
    forward = _forward_only(encoder, timings.batch_size, seconds)
    return {
        "batch_size": timings.batch_size,
        "forward_only": round(forward, 1),
        "engine": round(engine, 1),
        "share": round(engine / forward, 3),
        "shares": {
            k: round(timings.share(k), 3) for k in ("load", "preprocess", "forward", "write")
        },
    }


def _forward_only(encoder: Any, batch_size: int, seconds: float) -> float:
    size = encoder.data_config["input_size"]
    inputs = torch.randn(batch_size, *size, device=encoder.device)
    inputs = inputs.contiguous(memory_format=torch.channels_last)

    def wait() -> None:
        if encoder.device.type == "cuda":
            torch.cuda.synchronize()

    with torch.inference_mode():
        for _ in range(3):
            encoder.forward(inputs)
        wait()
        began, done = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            for _ in range(5):
                encoder.forward(inputs)
            wait()
            done += 5 * batch_size
        return done / (time.perf_counter() - began)
