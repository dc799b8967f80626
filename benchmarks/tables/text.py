"""What all tables share: a result that is read, cells set in Markdown, the machine named."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from benchmarks.record import RESULTS


def read(name: str) -> dict[str, Any]:
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def accelerators() -> list[dict[str, Any]]:
    """Return the results of every accelerator that was measured."""
    return [read(path.stem) for path in sorted(RESULTS.glob("accelerator-*.json"))]


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def machine(result: dict[str, Any]) -> str:
    machine, versions = result["machine"], result["versions"]
    return (
        f"Measured on {machine['cores']} cores ({machine['processor']}), torch {versions['torch']}."
    )


def snakemake(result: dict[str, Any]) -> str:
    machine, versions = result["machine"], result["versions"]
    return (
        f"Measured on {machine['cores']} cores ({machine['processor']}), "
        f"Snakemake {versions['snakemake']}."
    )
