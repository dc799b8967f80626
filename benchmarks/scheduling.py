"""Trivial jobs finished per second under Snakemake's schedulers, on a graph of the full shape.

Each setting runs the same workflow, 28,849 jobs that write two small files and the analyses above
them, for a fixed time after its first job has ended. What is counted is what is on the disk.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.synthetic import MODELS, SPLITS, write_workflow

_SECONDS = float(os.environ.get("SEMASIA_SCHEDULING_SECONDS", "45"))
_PATIENCE = 1800
_GREEDY = ("--scheduler", "greedy")
BASELINE = "default (ilp)"
# The first is what a user gets without a profile.
SETTINGS: dict[str, tuple[str, ...]] = {
    BASELINE: (),
    "ilp, one batch of ten": ("--batch", "all=1/10"),
    "greedy": _GREEDY,
    "greedy, one batch of ten": (*_GREEDY, "--batch", "all=1/10"),
    "greedy, sample of 500": (*_GREEDY, "--scheduler-subsample", "500"),
    "greedy, sample of 100": (*_GREEDY, "--scheduler-subsample", "100"),
    "greedy, sample of 500, a group per model": (
        *(*_GREEDY, "--scheduler-subsample", "500"),
        *("--groups", "extract=extract_{model}", "--group-components", "extract_{model}=17"),
    ),
}


def run() -> dict[str, Any]:
    """Run each setting for the same time; ratios to Snakemake's default."""
    rows: dict[str, dict[str, float]] = {}
    for name, arguments in SETTINGS.items():
        before, jobs, seconds = _jobs_finished(arguments)
        rate = jobs / seconds
        rows[name] = {
            "to_first_job_s": round(before, 1),
            "jobs": jobs,
            "seconds": round(seconds, 1),
            "jobs_per_second": round(rate, 3),
            "ratio": round(rate / (rows[BASELINE]["jobs_per_second"] if rows else rate), 1),
        }
        print(
            f"{rate:8.2f} jobs/s  ×{rows[name]['ratio']:<6} first after {before:5.0f} s  {name}",
            flush=True,
        )
    return {
        "extractions": MODELS * SPLITS,
        "window_s": _SECONDS,
        "settings": {name: " ".join(arguments) for name, arguments in SETTINGS.items()},
        "rows": rows,
    }


def _jobs_finished(arguments: tuple[str, ...]) -> tuple[float, int, float]:
    """Return seconds to the first job's end, jobs ended after it, and the time they took."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_workflow(folder, MODELS, SPLITS)
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "rules", *arguments],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            while not _finished(folder):
                if process.poll() is not None or time.monotonic() > began + _PATIENCE:
                    raise RuntimeError(f"snakemake {' '.join(arguments)} finished no job")
                time.sleep(0.1)
            first, had = time.monotonic(), _finished(folder)
            # A short collection may end before its time.
            while time.monotonic() < first + _SECONDS and process.poll() is None:
                time.sleep(0.1)
            return first - began, _finished(folder) - had, time.monotonic() - first
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _finished(folder: Path) -> int:
    return sum(len(names) for _, _, names in os.walk(folder / "results" / "latents"))
