"""A small collection of shards, and the scripts of the rules that read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from unit.rows.making import CLASSES, MODELS, PROBE, ROWS, run_script, write_shard


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a results folder with the shards of three models on two splits."""
    folder = tmp_path_factory.mktemp("results")
    for seed, model in enumerate(MODELS):
        for split in ROWS:
            write_shard(folder, model, split, 2 * seed + (split == "test"))
    return folder


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
                    "prototype_rows": None,
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
