"""Shards of a small collection, and what runs the script of a rule."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from semasia.inputs import PreparedSplit
from semasia.inputs.prepare import SplitFacts
from semasia.latents import Plan, ShardWriter, provenance_of

from conftest import REPOSITORY

ROWS = {"train": 60, "test": 40}
MODELS = ("a.x", "b.x", "c.x")
CLASSES = 4
PROBE = {"fit": "train", "score": "test", "labels": ["label"]}


def write_shard(
    folder: Path,
    model: str,
    split: str,
    seed: int,
    width: int = 12,
    names: list[str] | None = None,
) -> Path:
    """Write the shard of a model on a split of benchmark ``b`` by the project's own writer."""
    labels = np.arange(ROWS[split]) % CLASSES
    facts = SplitFacts(
        *("b", split, len(labels), len(labels), "f" * 64, [1, 1], {"label": names}, "folder"),
        *({"files_sha256": "0" * 64}, None),
    )
    prepared = PreparedSplit(
        facts, np.arange(len(labels), dtype=np.uint32), {"label": labels.astype(np.int64)}, None
    )
    rng = np.random.default_rng(seed)
    latents = rng.standard_normal((len(labels), width)).astype(np.float32) + labels[:, None]
    said = {
        "encoder": {"model_name": model, "width": width, "untrained": False, "license": "mit"},
        "preprocessing": {"input_size": [3, 8, 8]},
        "numerics": {"stored": "float32", "compute": "float32", "device": "cpu"},
    }
    path = folder / "latents" / "b" / model / f"{split}.parquet"
    writer = ShardWriter(path, prepared, provenance_of(prepared, said))
    writer.begin(Plan(1024, 8192))
    for rows in writer.missing():
        writer.save(rows, latents[rows.start : rows.stop].astype(np.float32))
        writer.assemble(rows, latents[rows.start : rows.stop].astype(np.float32))
    writer.finish()
    return path


class Named(list):
    """Files or values of a job, by number and by name, as a script finds them."""

    def __init__(self, given: Any) -> None:
        named = given if isinstance(given, dict) else {}
        each = list(named.values()) if isinstance(given, dict) else [given]
        super().__init__(i for one in each for i in (one if isinstance(one, list) else [one]))
        self.__dict__.update(named)

    def get(self, name: str, default: Any = None) -> Any:
        return self.__dict__.get(name, default)


def run_script(name: str, log: Path, **given: Any) -> None:
    """Run one of ``scripts/`` with what its rule would give it."""
    given = {"input": [], "output": {}, "params": {}, "wildcards": {}, "resources": {}} | given
    job = SimpleNamespace(threads=1, config={}, log=[str(log)])
    for what, value in given.items():
        setattr(job, what, Named(value))
    source = (REPOSITORY / "scripts" / f"{name}.py").read_text()
    exec(compile(source, f"scripts/{name}.py", "exec"), {"snakemake": job, "__name__": "__main__"})
