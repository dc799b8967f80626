"""From the start of a job to its first batch, in fresh processes, and what the time goes into."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import Any

_REPEATS = 7


def run() -> dict[str, Any]:
    """Measure a job of 500 digits with the packaged EfficientNet-Lite0."""
    laps: list[dict[str, float]] = []
    for _ in range(_REPEATS):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.startup_run"], capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        laps.append(json.loads(done.stdout.splitlines()[-1]))
    medians = {k: round(statistics.median(lap[k] for lap in laps), 3) for k in laps[0]}
    before = sum(v for k, v in medians.items() if k not in ("the other batches",))
    whole = before + medians["the other batches"]
    for name, seconds in medians.items():
        print(f"{seconds:8.3f} s  {name}")
    print(f"{before:8.3f} s  to the first batch: {100 * before / whole:.0f} % of a job of 500 rows")
    return {
        "repeats": _REPEATS,
        "rows": 500,
        "seconds": medians,
        "to_first_batch_s": round(before, 3),
        "share_of_job": round(before / whole, 3),
    }
