"""How long a fresh interpreter takes to import what: wall time of the whole process."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any

_REPEATS = 9
# What a user waits for, and what it would be to import everything at once.
_STATEMENTS = {
    "nothing": "pass",
    "registry": "import semasia.registry",
    "grammar": "from semasia.registry.grammar import parse_identifier; "
    "parse_identifier('vit_base_patch16_224.augreg_in21k_ft_in1k')",
    "configuration": "import semasia.config",
    "timm": "from semasia.compat import import_timm; import_timm()",
}


def run() -> dict[str, Any]:
    """Time each statement in turn, in rounds, so that a busy moment strikes all alike."""
    times: dict[str, list[float]] = {name: [] for name in _STATEMENTS}
    for _ in range(_REPEATS):
        for name, statement in _STATEMENTS.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True)
            times[name].append(time.perf_counter() - began)
    rows = {
        name: {"median_s": round(statistics.median(t), 3), "min_s": round(min(t), 3)}
        for name, t in times.items()
    }
    for name, row in rows.items():
        print(f"{name:14} median {row['median_s']:.3f} s  least {row['min_s']:.3f} s")
    return {"repeats": _REPEATS, "statements": _STATEMENTS, "seconds": rows}
