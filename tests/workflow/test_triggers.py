"""What a change redoes: what it alters, and nothing else."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import yaml

from conftest import clean_environment, planned_jobs, workflow_command

Run = Callable[..., subprocess.CompletedProcess[str]]

SMALL = {
    "name": "lcnet_050.untrained_seed0",
    "architecture": "lcnet_050",
    "weights": {"source": "random", "seed": 0},
    "data_config": {"input_size": [3, 64, 64]},
    "notes": "a test",
}


def test_descriptions_redo_nothing_and_bad_models_stop_only_themselves(
    tmp_path: Path, repository: Path, run_workflow: Run
) -> None:
    card = yaml.safe_load((repository / "registry/benchmarks/digits.yaml").read_text())
    unbuildable = {**SMALL, "name": "lcnet_05.typo", "architecture": "lcnet_05"}
    models = {"description": "a test", "models": [SMALL, unbuildable]}

    def write(**changes: object) -> dict:
        (tmp_path / "card.yaml").write_text(yaml.safe_dump({**card, **changes}))
        (tmp_path / "models.yaml").write_text(yaml.safe_dump(models))
        return {
            "title": "Triggers",
            "benchmarks": [
                {
                    "name": "digits",
                    "card": str(tmp_path / "card.yaml"),
                    "rows": {"train": 20, "test": 10},
                }
            ],
            "models": {"file": str(tmp_path / "models.yaml")},
        }

    first = run_workflow(tmp_path, write())
    assert first.returncode != 0
    assert "no architecture 'lcnet_05'. Did you mean" in first.stderr
    results = tmp_path / "results"
    table = pl.read_parquet(results / "tables" / "geometry.parquet")
    assert table["model_name"].unique().to_list() == [SMALL["name"]]
    registry = pl.read_parquet(results / "tables" / "registry.parquet")
    notes = dict(registry.select("model_name", "capacity_note").rows())
    assert notes[SMALL["name"]] is None
    assert "cannot be built" in notes["lcnet_05.typo"]
    page = (results / "pages" / "geometry.html").read_text()
    assert "2 of 4 targets are left out" in page
    assert "Triggers" in page

    # After a run of one shard, which cannot be made, no analyses are begun that nobody asked for.
    (results / "logs" / "analyses.log").unlink()
    alone = "results/latents/digits/lcnet_05.typo/test.parquet"
    assert run_workflow(tmp_path, write(), "--", alone).returncode != 0
    assert not (results / "logs" / "analyses.log").exists()
    assert run_workflow(tmp_path, write(), "--", "results/tables/timings.parquet").returncode != 0
    asked = planned_jobs((results / "logs" / "analyses.log").read_text())
    assert not {"geometry", "figure_probes"} & set(asked)

    models["models"] = [SMALL]
    whole = run_workflow(tmp_path, write())
    assert whole.returncode == 0, whole.stderr

    described = run_workflow(
        tmp_path, write(citation="Another.", licence="Another.", title="Another"), "--dry-run"
    )
    assert "Nothing to be done" in described.stdout + described.stderr

    models["models"] = [{**SMALL, "notes": "another"}]
    noted = planned_jobs(run_workflow(tmp_path, write(), "--dry-run").stdout)
    # The registry's table, and what is a matter of seconds and reads it.
    of_registry = {"contrasts", "regression", "figure_forest", "likelihood_ratio", "figure_violins"}
    assert set(noted) == {"registry", *of_registry, "all", "total"}
    models["models"] = [SMALL]

    unprobed = planned_jobs(run_workflow(tmp_path, write(probe=None), "--dry-run").stdout)
    assert unprobed["geometry"] == 2
    assert not {"extract", "prepare_split", "resolve_source"} & set(unprobed)

    # An interrupted run leaves nothing running, and starts nothing more.
    models["models"] = [
        SMALL,
        {**SMALL, "name": "second", "weights": {"source": "random", "seed": 1}},
    ]
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(write()))
    process = subprocess.Popen(
        workflow_command(tmp_path),
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    log = results / "logs/extract/digits/second/train.log"
    deadline = time.monotonic() + 60
    while not log.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (results / "logs" / "analyses.log").unlink()
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)
    assert not (results / "logs" / "analyses.log").exists()
