"""A small collection of shards, and the scripts of the rules that read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from semasia.inputs import PreparedSplit
from semasia.inputs.prepare import SplitFacts
from semasia.latents import Plan, ShardWriter, provenance_of

from conftest import REPOSITORY

ROWS = {"train": 60, "test": 40}
MODELS = ("a.x", "b.x", "c.x")
CLASSES = 4
PROBE = {"fit": "train", "score": "test", "labels": ["label"]}


def write_shard(folder: Path, model: str, split: str, seed: int, width: int = 12) -> Path:
    """Write the shard of a model on a split of benchmark ``b`` by the project's own writer."""
    labels = np.arange(ROWS[split]) % CLASSES
    facts = SplitFacts(
        *("b", split, len(labels), len(labels), "f" * 64, [1, 1], {"label": None}, "folder"),
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


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a results folder with the shards of three models on two splits."""
    folder = tmp_path_factory.mktemp("results")
    for seed, model in enumerate(MODELS):
        for split in ROWS:
            write_shard(folder, model, split, 2 * seed + (split == "test"))
    return folder


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


Tables = dict[str, pl.DataFrame]


@pytest.fixture
def analyses(tmp_path: Path) -> dict[str, Callable[[Path, tuple[str, ...]], Tables]]:
    """Return what runs each analysis on the shards of some models in a results folder."""

    def files(results: Path, models: tuple[str, ...], split: str) -> list[str]:
        return [str(results / "latents" / "b" / m / f"{split}.parquet") for m in models]

    def block(name: str, **params: Any) -> Callable[[Path, tuple[str, ...]], Tables]:
        def run(results: Path, models: tuple[str, ...]) -> Tables:
            fits = {} if name == "graphs" else {"fit_shards": files(results, models, "train")}
            out = tmp_path / f"{name}.parquet"
            run_script(
                name,
                tmp_path / "job.log",
                input={"shards": files(results, models, "test"), **fits},
                output=str(out),
                params={"recipe": 1, "cache": str(tmp_path / "kept" / name), **params},
            )
            return {name: pl.read_parquet(out)}

        return run

    def similarity(results: Path, models: tuple[str, ...]) -> Tables:
        out = tmp_path / "similarity.parquet"
        run_script(
            "similarity",
            tmp_path / "job.log",
            input=files(results, models, "test"),
            output=str(out),
            params={
                "models": [list(models)] * 2,
                "pairs": [],
                "rows": 10_000,
                "recipe": 1,
                "cache": str(tmp_path / "kept/s"),
            },
        )
        return {"similarity": pl.read_parquet(out)}

    def alignment(results: Path, models: tuple[str, ...]) -> Tables:
        frames = []
        for a, b in ((a, b) for a in models for b in models if a < b):
            out = tmp_path / f"{a}-{b}.parquet"
            given = {
                f"{part}_{side}": files(results, (model,), split)[0]
                for part, split in (("fit", "train"), ("score", "test"))
                for side, model in (("a", a), ("b", b))
            }
            run_script(
                "alignment",
                tmp_path / "job.log",
                input=given,
                output=str(out),
                params={
                    "probe": PROBE,
                    "methods": ["linear", "procrustes"],
                    "components": [2],
                    "few_rows": [],
                    "recipe": 1,
                },
            )
            frames.append(out)
        table = {"parquet": str(tmp_path / "al.parquet"), "csv": str(tmp_path / "al.csv")}
        run_script(
            "comparison_table",
            tmp_path / "table.log",
            input=[str(f) for f in frames],
            output=table,
            params={"kind": "alignment"},
        )
        return {"alignment": pl.read_parquet(table["parquet"])}

    def transfer(results: Path, models: tuple[str, ...]) -> Tables:
        out = {"parquet": str(tmp_path / "t.parquet"), "csv": str(tmp_path / "t.csv")}
        run_script(
            "transfer",
            tmp_path / "job.log",
            input={s: files(results, models, n) for s, n in (("fit", "train"), ("score", "test"))},
            output=out,
            params={"probe": PROBE, "recipe": 1},
        )
        return {"transfer": pl.read_parquet(out["parquet"])}

    def bases(results: Path, models: tuple[str, ...]) -> Tables:
        names = ("parquet", "csv", "energy", "energy_csv")
        out = {name: str(tmp_path / f"bases.{name}") for name in names}
        pairs = [{"a": a, "b": b} for a in models for b in models if a < b]
        run_script(
            "bases",
            tmp_path / "job.log",
            input=files(results, models, "test"),
            output=out,
            params={"pairs": pairs, "recipe": 1},
        )
        # Correlations alone have no column for a note: the summary of their pair has it.
        return {"bases": pl.read_parquet(out["energy"])}

    def projection(results: Path, models: tuple[str, ...]) -> Tables:
        out = tmp_path / "projection.svg"
        run_script(
            "figure_projection",
            tmp_path / "job.log",
            input=files(results, models, "test"),
            output=str(out),
            params={"label": "label", "recipe": 1},
        )
        assert out.stat().st_size > 1000
        return {"projection": pl.DataFrame({"svg": [out.read_text()]})}

    probed = {"probe": PROBE, "classes": {"label": CLASSES}}
    return {
        "geometry": block("geometry", **probed),
        "probes": block("probes", **probed),
        "graphs": block("graphs", graph={"k": 5, "points": None}),
        "similarity": similarity,
        "alignment": alignment,
        "transfer": transfer,
        "bases": bases,
        "projection": projection,
    }
