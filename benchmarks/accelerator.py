"""On an accelerator: the engine's rate against the network's own on resident tensors; comparisons.

The bound that no engine can pass is the forward pass alone, on tensors that are on the device
already, at the same precision and batch size: the faster of one stretch before the engine's run and
one after it. The engine's rate is that of a whole shard, from the first batch to the finished file.

The products of comparisons are timed there and on the host's processor.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.extraction_run import prepared_split, seeded
from benchmarks.geometry import latents
from benchmarks.similarity import WIDTHS, rounded, timed

_ARCHITECTURES = ("resnet50", "vit_base_patch16_224")
_PRECISIONS = ("float32", "tf32", "bfloat16")
_IMAGES = "32x32x3"
# As many as the training split of CIFAR has, and the validation split of ImageNet.
_ROWS = 50_000
_SECONDS = 3.0
_BATCH = 256
# Of a job with an accelerator in the workflow.
_THREADS = 4
_NEIGHBOURS = 50


def run() -> dict[str, Any]:
    """Measure on the first NVIDIA device; without one, say so and measure nothing."""
    if not torch.cuda.is_available():
        print("no accelerator here: nothing measured")
        return {"skipped": "no accelerator"}
    table = measured("cuda", _ARCHITECTURES, _PRECISIONS, _ROWS, _BATCH, _SECONDS)
    return {
        "device": torch.cuda.get_device_name().replace(" ", "-"),
        "rows": _ROWS,
        "table": table,
        "comparison": _comparison(),
    }


def measured(
    device: str,
    architectures: tuple[str, ...],
    precisions: tuple[str, ...],
    rows: int,
    batch_size: int,
    seconds: float,
) -> dict[str, Any]:
    """Return, per network and precision, both rates in images per second and their ratio."""
    table = {}
    with tempfile.TemporaryDirectory() as scratch:
        split = prepared_split(Path(scratch), _IMAGES, rows)
        for architecture in architectures:
            for precision in precisions:
                key = f"{architecture} {precision}"
                encoder = _encoder(device, architecture, precision)
                path = Path(scratch, key.replace(" ", "."), "test.parquet")
                table[key] = row = _one(encoder, split, path, batch_size, seconds)
                print(f"{key:32} {row}", flush=True)
    return table


def _encoder(device: str, architecture: str, precision: str) -> Any:
    from semasia.encoders import TimmEncoder, keep_freed_memory

    # As a job of the workflow does.
    keep_freed_memory()
    return TimmEncoder(seeded(architecture), device, preprocess="device", precision=precision)


def _one(encoder: Any, split: Any, path: Path, batch_size: int, seconds: float) -> dict[str, Any]:
    from semasia.extraction import Wishes, extract

    before = _forward_only(encoder, batch_size, seconds)
    told: list[tuple[int, float]] = []
    timings = extract(
        encoder,
        split,
        path,
        Wishes(batch_size=batch_size, threads=_THREADS),
        progress=lambda done, *_: told.append((done, time.perf_counter())),
    )
    ended = time.perf_counter()
    assert timings.batch_size == batch_size
    forward = max(before, _forward_only(encoder, batch_size, seconds))
    (first, began), (_, computed) = told[0], told[-1]
    engine = (len(split) - first) / (ended - began)
    return {
        "batch_size": timings.batch_size,
        "forward_only": round(forward, 1),
        "engine": round(engine, 1),
        "share": round(engine / forward, 3),
        "seconds": round(ended - began, 2),
        "seconds_after_the_last_batch": round(ended - computed, 2),
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


def _comparison() -> dict[str, Any]:
    """Time the CKA of one pair and the neighbours of one space, on the processor and there."""
    from semasia.accelerator import use_device
    from semasia.comparison.similarity import linear_cka
    from semasia.neighbours import nearest_neighbours

    A, B = (latents(_ROWS, width) for width in WIDTHS)
    ways = {
        "linear_cka": lambda: linear_cka(A, B),
        "neighbours": lambda: nearest_neighbours(A, _NEIGHBOURS),
    }
    here = timed(ways)
    use_device("cuda")
    there = timed(ways)
    use_device(None)
    same = np.array_equal(here["values"]["neighbours"], there["values"]["neighbours"])
    cka = abs(here["values"]["linear_cka"] - there["values"]["linear_cka"])
    return {
        "seconds_processor": rounded(here["seconds"]),
        "seconds_accelerator": rounded(there["seconds"]),
        "neighbours_are_equal": bool(same),
        "difference_of_linear_cka": float(f"{cka:.1e}"),
    }
