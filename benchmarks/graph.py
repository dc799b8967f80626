"""What Snakemake's graph of the paper's collection costs: time, processor, memory, jobs.

A tenth, a third and the whole of the models, on all 17 splits; planned from nothing, and on a tree
that is finished as Snakemake itself records it (``benchmarks.finished``).
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from semasia.config import Collection
from semasia.registry.location import registry_folder

_ROOT = Path(__file__).parent.parent
_CONFIG = _ROOT / "config" / "semasia.yaml"
_SLURM = ("--workflow-profile", str(_ROOT / "workflow" / "profiles" / "slurm"))
_PARTS = {"tenth": 10, "third": 3, "whole": 1}
# Of the configuration's benchmarks, MNIST.
_CAPPED = 4
# Shards a run in `semasia status --missing | xargs -n 2000 snakemake`.
_AT_ONCE = 2000


def run() -> dict[str, Any]:
    """Plan each part from nothing and finished; what a batch of missing shards costs."""
    collection = Collection.load(_CONFIG, registry_folder())
    names = list(collection.models)
    rows: list[dict[str, Any]] = []
    for part, of in _PARTS.items():
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            chosen = names[: len(names) // of]
            content = yaml.safe_load(_CONFIG.read_text(encoding="utf-8"))
            if of > 1:
                content["models"]["only"] = chosen
                # Its pairs may not be among them.
                content["comparison"] = None
            _configure(folder, content)

            def add(
                case: str, *arguments: str, named: str = part, where: Path = folder
            ) -> dict[str, Any]:
                rows.append({"part": named, "case": case, **_measured(where, *arguments)})
                _tell(rows[-1])
                return rows[-1]

            add("plan", "--dry-run")
            if part == "whole":
                add("plan, slurm profile", "--dry-run", *_SLURM)
                shards = _shards(collection)
                add(f"{_AT_ONCE:,} missing shards", "--dry-run", "--", *shards[:_AT_ONCE])
                add("one batch of 14", "--dry-run", "--batch", "shards=1/14", "--", "shards")
            _finish(folder)
            planned, again = add("finished, planned", "--dry-run"), add("finished, run")
            assert planned["jobs"] == again["jobs"] == 0
            # The tree is no stage set: what alters values is seen, and nothing else is redone.
            content["benchmarks"][_CAPPED]["rows"] = {"test": 5000}
            _configure(folder, content)
            capped = add("finished, one split capped", "--dry-run")
            assert capped["extractions"] == len(chosen), capped
    return {"rows": rows}


def _configure(folder: Path, content: dict[str, Any]) -> None:
    (folder / "config.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")


def _shards(collection: Collection) -> list[str]:
    results = collection.config.results
    return [
        f"{results}/latents/{t.benchmark}/{t.model}/{t.split}.parquet" for t in collection.targets()
    ]


def _finish(folder: Path) -> None:
    _spawn("benchmarks.finished", folder, ("--quiet", "all"))


def _measured(folder: Path, *arguments: str) -> dict[str, Any]:
    began = time.perf_counter()
    usage, output = _spawn("snakemake", folder, arguments)
    counts = {m[1]: int(m[2]) for m in re.finditer(r"^(\w+) +(\d+)$", output, re.MULTILINE)}
    if not counts and "Nothing to be done" not in output:
        raise RuntimeError(output[-2000:])
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "processor_s": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_mb": round(usage.ru_maxrss * 1024 / 1e6),
        "jobs": counts.get("total", 0),
        "extractions": counts.get("extract", 0),
    }


def _spawn(module: str, folder: Path, arguments: tuple[str, ...]) -> tuple[Any, str]:
    """Run a module as snakemake in a folder; return what the process used, and its output."""
    command = [sys.executable, "-m", module]
    if _SLURM[0] not in arguments:
        command += ["--cores", "2"]
    command += ["--snakefile", str(_ROOT / "workflow" / "Snakefile"), "--directory", str(folder)]
    command += ["--configfile", str(folder / "config.yaml"), *arguments]
    log = folder / "output.txt"
    with log.open("w") as file:
        process = os.posix_spawn(
            sys.executable,
            command,
            {**os.environ, "HF_HUB_OFFLINE": "1"},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, file.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, file.fileno(), 2),
            ],
        )
        _, status, usage = os.wait4(process, 0)
    output = log.read_text(encoding="utf-8")
    if status:
        raise RuntimeError(output[-2000:])
    return usage, output


def _tell(row: dict[str, Any]) -> None:
    print(
        f"{row['seconds']:8.1f} s  {row['processor_s']:7.1f} s of processor  "
        f"{row['peak_mb']:5} MB  {row['jobs']:7,} jobs  {row['part']}: {row['case']}",
        flush=True,
    )
