"""On an accelerator: the engine's rate against the network's own on resident tensors.

The bound that no engine can pass is the forward pass alone, on tensors that are on the device
already, at the same precision and batch size.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import torch

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
    from benchmarks.extraction_run import prepared_split

    table = {}
    with tempfile.TemporaryDirectory() as scratch:
        split = prepared_split(Path(scratch), _IMAGES, _ROWS)
        for architecture in _ARCHITECTURES:
            for precision in _PRECISIONS:
                key = f"{architecture} {precision}"
                table[key] = row = _measured(architecture, precision, split, Path(scratch))
                print(f"{key:32} {row}", flush=True)
    return {"device": torch.cuda.get_device_name().replace(" ", "-"), "rows": _ROWS, "table": table}


def _measured(architecture: str, precision: str, split: Any, folder: Path) -> dict[str, Any]:
    from semasia.encoders import TimmEncoder
    from semasia.extraction import Wishes, extract
    from semasia.registry import EncoderCard

    card = EncoderCard.model_validate(
        {
            "name": f"{architecture}.{precision}",
            "architecture": architecture,
            "weights": {"source": "random", "seed": 0},
        }
    )
    encoder = TimmEncoder(card, "cuda", preprocess="device", precision=precision)
    told: list[tuple[int, float]] = []
    timings = extract(
        encoder,
        split,
        folder / card.name / "test.parquet",
        Wishes(threads=8),
        progress=lambda done, *_: told.append((done, time.perf_counter())),
    )
    first, last = told[0], told[-1]
    engine = (last[0] - first[0]) / (last[1] - first[1])
    forward = _forward_only(encoder, timings.batch_size)
    return {
        "batch_size": timings.batch_size,
        "forward_only": round(forward),
        "engine": round(engine),
        "share": round(engine / forward, 3),
    }


def _forward_only(encoder: Any, batch_size: int) -> float:
    inputs = torch.randn(batch_size, 3, 224, 224, device="cuda")
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        for _ in range(3):
            encoder.forward(inputs)
        torch.cuda.synchronize()
        began, done = time.perf_counter(), 0
        while time.perf_counter() - began < _SECONDS:
            for _ in range(5):
                encoder.forward(inputs)
            torch.cuda.synchronize()
            done += 5 * batch_size
        return done / (time.perf_counter() - began)
