"""Runs benchmarks by name, all of them by default: ``python -m benchmarks registry``."""

from __future__ import annotations

import importlib
import sys

from benchmarks.record import RESULTS, write_result

# In the order they run: short ones first.
NAMES = (
    "imports",
    "startup",
    "jobs",
    "encoding",
    "digests",
    "extraction",
    "pace",
    "accelerator",
    "registry",
    "graph",
    "scheduling",
    "cards",
    "geometry",
    "probes",
    "alignment",
    "graphs",
    "similarity",
    "simulation",
    "coverage",
)


def main(arguments: list[str]) -> int:
    """Run the benchmarks named; return the exit status."""
    unknown = sorted(set(arguments) - set(NAMES))
    if unknown:
        print(f"unknown benchmark {unknown[0]!r}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    for name in arguments or NAMES:
        print(f"\n== {name}", flush=True)
        result = importlib.import_module(f"benchmarks.{name}").run()
        if "skipped" in result:
            continue
        path = write_result(name, result)
        print(f"== {path.relative_to(RESULTS.parents[1])}", flush=True)
    return 0


sys.exit(main(sys.argv[1:]))
