"""Images per second against the loop that a user would write, side by side on one machine.

Every run is a process of its own; the kinds take turns, so that a busy moment strikes all alike.
The baseline is given the faster of no and two loading processes.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from typing import Any

# Rows that take the baseline some ten seconds.
_ROWS = {
    "tf_efficientnet_lite0": 256,
    "mobilenetv3_small_100": 2048,
    "resnet18": 320,
    "vit_tiny_patch16_224": 320,
}
_KINDS = ("baseline0", "baseline2", "eager", "inductor")
_ROUNDS = 3


def run() -> dict[str, Any]:
    """Measure the four networks on real digits (28×28), and two rounds on 32×32 RGB."""
    digits = _measured("digits", _ROUNDS)
    colour = _measured("32x32x3", 2)
    return {
        "rounds": _ROUNDS,
        "digits": digits,
        "32x32x3": colour,
        "eager_geometric_mean": _geometric_mean(digits, "eager_ratio"),
        "inductor_geometric_mean": _geometric_mean(digits, "inductor_ratio"),
    }


def _measured(images: str, rounds: int) -> dict[str, Any]:
    table = {}
    cache = tempfile.mkdtemp()
    for architecture, rows in _ROWS.items():
        runs: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _KINDS}
        for _ in range(rounds):
            for kind in _KINDS:
                runs[kind].append(_run(kind, architecture, images, rows, cache))
        rates = {k: statistics.median(r["rate"] for r in v) for k, v in runs.items()}
        baseline = max(rates["baseline0"], rates["baseline2"])
        row = {
            "rows": rows,
            "images_per_second": {k: round(v, 1) for k, v in rates.items()},
            "all_rates": {k: [round(r["rate"], 1) for r in v] for k, v in runs.items()},
            "eager_ratio": round(rates["eager"] / baseline, 2),
            "inductor_ratio": round(rates["inductor"] / baseline, 2),
            # The first time with nothing compiled yet; later ones share what it compiled.
            "compile_s": runs["inductor"][0]["plan_s"],
            "compile_again_s": min(r["plan_s"] for r in runs["inductor"]),
            "peak_mib": {k: max(r["peak_mib"] for r in v) for k, v in runs.items()},
            "shares_eager": runs["eager"][-1]["shares"],
        }
        saved = 1 / rates["eager"] - 1 / rates["inductor"]
        row["compiling_repays_from_rows"] = (
            round(row["compile_again_s"] / saved) if saved > 0.02 / rates["eager"] else None
        )
        table[architecture] = row
        print(
            f"{images:8} {architecture:24} baseline {baseline:7.1f}/s  eager ×{row['eager_ratio']}"
            f"  inductor ×{row['inductor_ratio']} (compiling {row['compile_s']:.0f} s)",
            flush=True,
        )
    shutil.rmtree(cache)
    return table


def _run(kind: str, architecture: str, images: str, rows: int, cache: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.extraction_run"]
    done = subprocess.run(
        [*command, kind, architecture, images, str(rows)],
        capture_output=True,
        text=True,
        env={**os.environ, "TORCHINDUCTOR_CACHE_DIR": cache},
    )
    if done.returncode:
        raise RuntimeError(f"{kind} {architecture}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _geometric_mean(table: dict[str, Any], key: str) -> float:
    mean = round(statistics.geometric_mean(row[key] for row in table.values()), 2)
    print(f"{key.removesuffix('_ratio')}: geometric mean ×{mean}", flush=True)
    return mean
