"""What the message about a damaged table advises works: delete it, and run again."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import polars as pl

from workflow.test_faults import benchmark, model_set

Run = Callable[..., subprocess.CompletedProcess[str]]

# What is damaged, and the table that is made of it.
DAMAGED = {"geometry/good/test/*.parquet": "geometry", "timings/good/*/train.json": "timings"}


def test_a_damaged_table_is_made_again_once_it_is_deleted(
    tmp_path: Path, run_workflow: Run
) -> None:
    results = tmp_path / "results"
    config = {"benchmarks": [benchmark(tmp_path, "good")], "models": model_set(tmp_path)}
    targets = [f"results/tables/{table}.parquet" for table in DAMAGED.values()]
    first = run_workflow(tmp_path, config, "--", *targets)
    assert first.returncode == 0, first.stderr
    before = pl.read_parquet(tmp_path / targets[0])

    paths = [next(results.glob(pattern)) for pattern in DAMAGED]
    for path in paths:
        path.write_bytes(path.read_bytes()[:-20])
    broken = run_workflow(tmp_path, config, "--keep-going", "--", *targets)
    assert broken.returncode != 0
    told = re.findall(
        r"^DamagedFileError: (\S+): .* Delete it and run again\.$", broken.stderr, re.M
    )
    assert sorted(told) == sorted(str(path.relative_to(tmp_path)) for path in paths)
    # Snakemake deleted what the failed jobs were to write, hence makes it and what it needs.
    assert not any((tmp_path / target).exists() for target in targets)

    for path in told:
        (tmp_path / path).unlink()
    again = run_workflow(tmp_path, config, "--", *targets)
    assert again.returncode == 0, again.stderr
    assert pl.read_parquet(tmp_path / targets[0]).equals(before)
    assert len(pl.read_parquet(tmp_path / targets[1])) == 2
