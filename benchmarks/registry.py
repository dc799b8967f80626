"""A fresh build of the registry's capacities: every architecture, without weights."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from semasia.registry import load_model_set
from semasia.registry.location import registry_folder
from semasia.registry.paper_reading import paper_reading
from semasia.registry.table import built_cards, first_releases, registry_rows

_SHOWN = 10


def run() -> dict[str, Any]:
    """Measure the time per architecture and of the whole build on all cores."""
    folder = registry_folder()
    cards = built_cards([load_model_set("timm-1.0.31", folder / "models")])
    workers = len(os.sched_getaffinity(0))
    seconds: dict[str, float] = {}

    def progress(name: str, took: float) -> None:
        seconds[name] = round(took, 3)
        if len(seconds) % 200 == 0:
            print(
                f"{len(seconds):,} architectures, {time.perf_counter() - began:.0f} s", flush=True
            )

    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as cache:
        rows = registry_rows(
            cards,
            releases=first_releases(folder),
            reading=paper_reading(folder),
            cache=Path(cache),
            workers=workers,
            progress=progress,
        )
    whole = time.perf_counter() - began
    slowest = sorted(seconds.items(), key=lambda item: -item[1])
    for name, took in slowest[:_SHOWN]:
        print(f"{took:8.2f} s  {name}")
    ordered = sorted(seconds.values())
    print(
        f"{len(rows):,} identifiers, {len(seconds):,} architectures in {whole:.0f} s with "
        f"{workers} processes; median {ordered[len(ordered) // 2]:.2f} s an architecture"
    )
    return {
        "identifiers": len(rows),
        "architectures": len(seconds),
        "workers": workers,
        "whole_s": round(whole, 1),
        "median_s": ordered[len(ordered) // 2],
        "seconds": dict(slowest),
    }
