"""Writes a benchmark's result with the machine and the versions it was measured on."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import platform
from pathlib import Path
from typing import Any

from semasia.files import whole_file

RESULTS = Path(__file__).parent / "results"
_PACKAGES = (
    "semasia",
    "torch",
    "torchvision",
    "timm",
    "pyarrow",
    "polars",
    "datasets",
    "snakemake",
    "numba",
    "networkx",
    "scikit-learn",
)


def write_result(name: str, result: dict[str, Any]) -> Path:
    """Write ``benchmarks/results/NAME.json``; results of an accelerator have its name in theirs."""
    device = result.get("device", "cpu")
    path = RESULTS / (f"{name}.json" if device == "cpu" else f"{name}-{device}.json")
    content = {"benchmark": name, "machine": machine(), "versions": versions(), **result}
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def machine() -> dict[str, Any]:
    """Return what speed depends on: processor, cores, memory, accelerator."""
    found: dict[str, Any] = {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
    }
    import torch

    if torch.cuda.is_available():
        found["accelerator"] = torch.cuda.get_device_name()
    return found


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that do the work, as far as installed."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()
