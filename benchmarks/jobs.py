"""What a job costs beside its images: one process per shard against one per model.

The workflow runs for real, on a few small splits, with checkpoints of random values that are read
from files like any other. A job's fixed cost is what its process took less what the timings say
its rows took; Snakemake's own is what the whole run took less its jobs, per job: with few
jobs more than it is with many, because its start is in it.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from semasia.compat import import_timm
from semasia.config import Collection
from semasia.registry.location import registry_folder

# The fewest operations of semasia-v1, about the median, and as many parameters as its mean.
_NETWORKS = {
    "smallest": "tinynet_e",
    "median": "swin_small_patch4_window7_224",
    "mean size": "vit_base_patch16_384",
}
_ROWS = 16
# Operations per second that a device sustains over a collection; float32 first, then less.
_PACES = (1e13, 3e13, 1e14, 2e14)
_PACE = 3e13


def run() -> dict[str, Any]:
    """Measure jobs of three networks, then tell the fixed share of the whole plan."""
    table = {}
    with tempfile.TemporaryDirectory() as scratch:
        for kind, architecture in _NETWORKS.items():
            table[kind] = row = _measured(architecture, Path(scratch, architecture))
            print(f"{kind:10} {architecture:32} {row}", flush=True)
    shares = _shares(table)
    for pace, both in shares.items():
        print(f"{float(pace):.0e} operations/s: {both}", flush=True)
    return {
        "rows": _ROWS,
        "table": table,
        "shares_of_plan": shares,
        "shares_of_targets": _of_targets(table),
    }


def _measured(architecture: str, folder: Path) -> dict[str, Any]:
    """Return the fixed seconds of jobs: on their own, of the first together, of one that takes."""
    folder.mkdir()
    parameters = _write_checkpoint(architecture, folder / "model.safetensors")
    apart, _ = _run(architecture, folder, together=False)
    shards, whole = _run(architecture, folder, together=True)
    took = [s["seconds"] for s in shards if s["taken"]]
    (first,) = (s["seconds"] for s in shards if not s["taken"])
    return {
        "architecture": architecture,
        "parameters": parameters,
        "apart_s": round(sum(s["seconds"] - s["work"] for s in apart) / len(apart), 2),
        # It does the work of all.
        "first_together_s": round(first - sum(s["work"] for s in shards), 2),
        "taken_s": round(sum(took) / len(took), 2),
        "snakemake_s": round((whole - sum(s["seconds"] for s in shards)) / len(shards), 2),
        "seconds_per_image": round(
            sum(s["work"] for s in apart) / sum(s["rows"] for s in apart), 4
        ),
    }


def _write_checkpoint(architecture: str, path: Path) -> int:
    from safetensors.torch import save_file

    network = import_timm().create_model(architecture)
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, path)
    return sum(p.numel() for p in network.parameters())


def _run(architecture: str, folder: Path, together: bool) -> tuple[list[dict[str, Any]], float]:
    model = {
        "name": "own",
        "architecture": architecture,
        "weights": {"source": "file", "path": str(folder / "model.safetensors")},
    }
    work = folder / ("together" if together else "apart")
    work.mkdir()
    (work / "models.yaml").write_text(yaml.safe_dump({"description": "own", "models": [model]}))
    rows = {"train": _ROWS, "test": _ROWS}
    config = {
        "benchmarks": [{"name": name, "rows": rows} for name in ("mnist_5k", "digits")],
        "models": {"file": str(work / "models.yaml")},
        "extract": {"together": together, "device": "cpu"},
    }
    (work / "config.yaml").write_text(yaml.safe_dump(config))
    targets = [(b, s) for b in ("mnist_5k", "digits") for s in rows]
    inputs = [f"results/inputs/{b}/{s}.arrow" for b, s in targets]
    _snakemake(work, inputs)
    began = time.perf_counter()
    _snakemake(work, [f"results/latents/{b}/own/{s}.parquet" for b, s in targets])
    seconds = time.perf_counter() - began
    return [_shard(work / "results", b, s) for b, s in targets], seconds


def _snakemake(folder: Path, targets: list[str]) -> None:
    snakefile = registry_folder().parent / "workflow" / "Snakefile"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--cores", "1", "--snakefile", str(snakefile)),
            *("--directory", str(folder), "--configfile", str(folder / "config.yaml"), "--"),
            *targets,
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])


def _shard(results: Path, benchmark: str, split: str) -> dict[str, Any]:
    where = Path(benchmark, "own", split)
    timed = (results / "benchmarks" / "extract" / where).with_suffix(".tsv")
    seconds = float(next(csv.DictReader(timed.open(), delimiter="\t"))["s"])
    row = json.loads((results / "timings" / where).with_suffix(".json").read_text())
    log = (results / "logs" / "extract" / where).with_suffix(".log").read_text()
    kinds = ("load", "preprocess", "forward", "write")
    return {
        "seconds": seconds,
        "work": sum(row[f"seconds_{kind}"] for kind in kinds),
        "rows": row["rows"],
        "taken": "made ahead by the job of another split" in log,
    }


def _shares(table: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return the fixed share of the paper's whole collection, by pace of the device.

    Fixed seconds grow in a straight line with a network's parameters, through the smallest and the
    one of mean size, so that the mean over all models is the line's at their mean.
    """
    collection, known = _whole()
    images = sum(collection.rows(b, s) for b in collection.benchmarks for s in collection.splits(b))
    operations = float(known["flops"].sum()) * images
    models, shards = len(collection.models), len(list(collection.targets()))
    mean = float(known["num_backbone_parameters"].mean())  # type: ignore[arg-type]

    def at_mean(key: str) -> float:
        small, large = table["smallest"], table["mean size"]
        slope = (large[key] - small[key]) / (large["parameters"] - small["parameters"])
        return small[key] + slope * (mean - small["parameters"])

    own = max(row["snakemake_s"] for row in table.values())
    taken = max(row["taken_s"] for row in table.values())
    apart = shards * (at_mean("apart_s") + own)
    together = models * at_mean("first_together_s") + (shards - models) * taken + shards * own
    return {
        f"{pace:g}": {
            name: round(fixed / (fixed + operations / pace), 4)
            for name, fixed in (("apart", apart), ("together", together))
        }
        for pace in _PACES
    }


def _of_targets(table: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the fixed share of the smallest target and of the median one, at one pace."""
    collection, known = _whole()
    splits = sorted(
        collection.rows(b, s) for b in collection.benchmarks for s in collection.splits(b)
    )
    found = {}
    for kind, rows in (("smallest", splits[0]), ("median", splits[len(splits) // 2])):
        row = table[kind]
        named = pl.col("model_name").str.split(".").list.first()
        own = known.filter(named == row["architecture"])
        work = float(own["flops"][0]) * rows / _PACE
        each = (row["first_together_s"] + (len(splits) - 1) * row["taken_s"]) / len(splits)
        found[kind] = {"images": rows, "pace": _PACE, "work_s": round(work, 2)} | {
            name: round(fixed / (fixed + work), 4)
            for name, fixed in (
                ("apart", row["apart_s"] + row["snakemake_s"]),
                ("together", each + row["snakemake_s"]),
            )
        }
    return found


def _whole() -> tuple[Collection, pl.DataFrame]:
    """Return the paper's collection, and the registry's rows of its models."""
    registry = registry_folder()
    collection = Collection.load(registry.parent / "config" / "semasia.yaml", registry)
    table = pl.read_parquet(registry / "registry.parquet")
    return collection, table.filter(pl.col("model_name").is_in(list(collection.models)))
