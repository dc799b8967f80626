"""How fast networks run: learned from extractions that were made, or from a short calibration."""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Networks of the kinds that collections are made of; the pace of their median is taken for all.
_CALIBRATION = (
    "mobilenetv3_large_100",
    "resnet50",
    "convnext_tiny",
    "vit_small_patch16_224",
    "vit_base_patch16_224",
    "swin_tiny_patch4_window7_224",
)
_SECONDS = 3.0


@dataclass(frozen=True)
class Speed:
    """Seconds per image and model.

    Attributes
    ----------
    flops_per_second : float
        Pace taken for models that were not measured.
    measured : dict
        Seconds per image of the models that were.
    source : str
        Where the numbers come from, as a sentence without its full stop.
    """

    flops_per_second: float
    source: str
    measured: dict[str, float] = field(default_factory=dict)

    def seconds_per_image(self, model: str, flops: int) -> float:
        """Return the seconds that one image takes."""
        return self.measured.get(model, flops / self.flops_per_second)


def speed_of_timings(results: Path, flops: Mapping[str, int | None]) -> Speed | None:
    """Return the speed of the extractions made so far; None if there are none.

    Where several kinds of device took part, the one of the most rows counts.
    """
    rows = list(_timings(results))
    if not rows:
        return None
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["device"]] = counts.get(row["device"], 0) + row["rows"]
    device = max(counts, key=lambda name: counts[name])
    rows = [row for row in rows if row["device"] == device]
    times: dict[str, list[float]] = {}
    for row in rows:
        times.setdefault(row["model_name"], []).append(1 / row["images_per_second"])
    measured = {model: statistics.median(values) for model, values in times.items()}
    paces = [known / measured[m] for m in measured if (known := flops.get(m))]
    if not paces:
        return None
    source = (
        f"from {len(rows):,} extractions of {len(measured):,} models made on {device}; for models "
        "not among them at their median pace"
    )
    return Speed(statistics.median(paces), source, measured)


def calibrated(device: str = "auto", architectures: Iterable[str] = _CALIBRATION) -> Speed:
    """Measure a few networks with seeded weights on this machine, some seconds each."""
    import torch

    from semasia.encoders import TimmEncoder, keep_freed_memory
    from semasia.registry import EncoderCard
    from semasia.registry.capacity import measure_capacity

    keep_freed_memory()
    paces = []
    kind = ""
    for name in architectures:
        card = EncoderCard.model_validate(
            {"name": name, "architecture": name, "weights": {"source": "random", "seed": 0}}
        )
        encoder = TimmEncoder(card, device, preprocess="device")
        kind = encoder.device.type
        size = 32 if kind == "cpu" else 256
        pixels = torch.zeros(size, 32, 32, 3, dtype=torch.uint8)
        encoder.encode(pixels)
        began, done = time.perf_counter(), 0
        while time.perf_counter() - began < _SECONDS:
            encoder.encode(pixels)
            done += size
        rate = done / (time.perf_counter() - began)
        flops = measure_capacity(card).flops
        if flops:
            paces.append(rate * flops)
    source = f"from a calibration on {kind} with {len(paces)} networks, at their median pace"
    return Speed(statistics.median(paces), source)


def _timings(results: Path) -> Iterable[dict[str, Any]]:
    for path in (results / "timings").glob("*/*/*.json"):
        try:
            row = json.loads(path.read_text(encoding="utf-8"))
            rate = float(row["images_per_second"])
            known = type(row["device"]) is type(row["model_name"]) is str and row["rows"] > 0
        except (OSError, ValueError, TypeError, KeyError):
            # Resumed to the end: nothing was measured. Or no record at all.
            continue
        if known and 0 < rate < math.inf:
            yield {**row, "images_per_second": rate}
