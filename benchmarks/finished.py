"""Finishes a workflow without running its jobs: ``python -m benchmarks.finished OPTIONS``.

The options are Snakemake's, and it plans as ever. In place of its scheduler every planned job's
outputs are written, after those it reads, and recorded by Snakemake's own persistence. So the
triggers of a later run (times, parameters, sets of inputs) find what a real run would have left.
The jobs' messages are printed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from snakemake import cli
from snakemake.scheduling.job_scheduler import JobScheduler

# Above the size up to which Snakemake compares contents, as real shards are; sparse, so no disk.
_BYTES = 2_000_000
_DATA = (".parquet", ".arrow")


def finish(scheduler: Any) -> bool:
    """Write and record the outputs of every job that is planned; stands for ``schedule``."""
    workflow = scheduler.workflow
    for level in workflow.dag.toposorted():
        for job in level:
            if not workflow.dag.needrun(job):
                continue
            for output in job.output:
                _write(Path(output))
            workflow.async_run(workflow.persistence.finished(job))
            if job.message:
                print(job.message)
    return True


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        if path.suffix in _DATA:
            file.truncate(_BYTES)
        else:
            file.write(b'{"synthetic": true}\n')


if __name__ == "__main__":
    # Nothing public lies between its plan and its records.
    JobScheduler.schedule = finish  # pyright: ignore[reportAttributeAccessIssue]
    cli.main(["--no-hooks", *sys.argv[1:]])
