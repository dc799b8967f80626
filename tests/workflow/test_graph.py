"""The graph: the whole collection is planned, and the workflow works from another folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

from semasia.config import Collection, parse_config

from conftest import planned_jobs

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_the_papers_collection_has_28849_shards(repository: Path) -> None:
    path = repository / "config" / "semasia.yaml"
    config = parse_config(yaml.safe_load(path.read_text()), str(path))
    collection = Collection.resolve(config, repository / "registry", str(path))
    targets = list(collection.targets())
    assert len(targets) == len(set(targets)) == 28_849
    assert sum(collection.rows(t.benchmark, t.split) for t in targets) == 1697 * 730_788


def test_the_whole_plan_is_a_graph_of_less_than_45000_jobs(
    tmp_path: Path, repository: Path, run_workflow: Run
) -> None:
    text = (repository / "config" / "semasia.yaml").read_text()
    done = run_workflow(tmp_path, text, "--dry-run", "--quiet", "rules")
    assert done.returncode == 0, done.stderr
    jobs = planned_jobs(done.stdout)
    assert jobs["extract"] == 28_849
    assert jobs["prepare_split"] == 17
    assert jobs["geometry"] == jobs["graphs"] == 17 * 32
    assert jobs["total"] < 45_000


def test_nothing_leaks_from_the_default_into_another_configuration(
    tmp_path: Path, run_workflow: Run
) -> None:
    config = {
        "benchmarks": [{"name": "digits", "splits": ["test"]}],
        "models": {"set": "demo", "only": ["tf_efficientnet_lite0.in1k"]},
    }
    done = run_workflow(tmp_path, config, "--dry-run")
    assert done.returncode == 0, done.stderr
    jobs = planned_jobs(done.stdout)
    assert jobs["extract"] == 1
    assert "figure_projection" not in jobs


def test_works_as_a_module_of_another_workflow(tmp_path: Path, repository: Path) -> None:
    config = {
        "benchmarks": [{"name": "digits", "rows": {"train": 20, "test": 10}}],
        "models": {"set": "demo", "only": ["tf_efficientnet_lite0.untrained_seed0"]},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    (tmp_path / "Snakefile").write_text(
        f"""
configfile: "config.yaml"

module semasia:
    snakefile: "{repository / "workflow" / "Snakefile"}"
    config: config

use rule * from semasia

rule mine:
    input: "results/tables/geometry.csv"
    output: "mine.txt"
    shell: "wc -l < {{input}} > {{output}}"
"""
    )
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "mine.txt"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mine.txt").read_text().strip() == "3"
