"""The shipped profile on a real cluster: what is asked for, and what if something dies."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import polars as pl
import pytest

from .conftest import MODELS, SHARDS, Driver, shard

pytestmark = pytest.mark.timeout(600)


def fates(driver: Driver, model: str) -> list[dict[str, str]]:
    """Return the jobs of a model's group, oldest first."""
    # The plugin adds the rules that a group is of.
    wanted = f"rule_extract_{model}_extract"
    return [job for job in driver.jobs_of("extract") if job["Comment"] == wanted]


def states(jobs: list[dict[str, str]]) -> list[str]:
    return [job["JobState"] for job in jobs]


def test_jobs_that_die_come_again_and_lose_nothing(driver: Driver, whole: Path) -> None:
    """One killed for memory, one cancelled, one out of time, one left alone."""
    driver.start(
        *("--", *SHARDS),
        extract={
            "mem_mb": "150 if attempt == 1 and wildcards.model == 'killed' else 6000 * attempt",
            "runtime": "attempt if wildcards.model == 'late' else 240 * attempt",
        },
    )
    # Held, they cannot be over before it happens to them.
    driver.hold("late", "cancelled")
    driver.slurm.command("scancel", fates(driver, "cancelled")[0]["JobId"])
    assert driver.finish(240) == 0, driver.told()

    first, second = fates(driver, "killed")
    assert states([first, second]) in (["FAILED", "COMPLETED"], ["OUT_OF_MEMORY", "COMPLETED"])
    assert (first["MinMemoryNode"], second["MinMemoryNode"]) == ("150M", "12000M")
    assert states(fates(driver, "cancelled")) == ["CANCELLED", "COMPLETED"]
    first, second = fates(driver, "late")
    assert states([first, second]) == ["TIMEOUT", "COMPLETED"]
    assert (first["TimeLimit"], second["TimeLimit"]) == ("00:01:00", "00:02:00")

    # On SIGTERM the batch under way is saved; what was saved is not computed again.
    assert driver.resumed("cancelled") > 0
    assert driver.resumed("late") > 0
    driver.assert_same_as(whole)

    # One job for both splits of `killed`.
    assert len(driver.jobs_of("extract")) == 6
    for job in driver.jobs_of("extract"):
        assert job["Partition"] == "gpu"
        assert job["TresPerJob"] == "gres:gpu:1"
    assert list(driver.folder.glob(".snakemake/slurm_logs/group_extract_killed_extract/**/*.log"))


def test_a_group_that_dies_takes_back_what_it_had_made(driver: Driver, whole: Path) -> None:
    """Both splits of a model are one job; cancelled in its second, it repeats nothing."""
    pair = [shard("killed", split) for split in ("train", "test")]
    driver.start("--", *pair)
    second = "test" if driver.first_of("killed") == "train" else "train"
    driver.hold("killed", split=second)
    driver.slurm.command("scancel", fates(driver, "killed")[0]["JobId"])
    assert driver.finish(240) == 0, driver.told()
    assert states(fates(driver, "killed")) == ["CANCELLED", "COMPLETED"]
    first = "train" if second == "test" else "test"
    log = driver.folder / f"results/logs/extract/mnist_5k/killed/{first}.log"
    assert "made ahead by the job of another split" in log.read_text(), driver.told()
    assert driver.resumed("killed", first) == 0
    assert driver.resumed("killed", second) > 0
    for name in pair:
        assert (driver.folder / name).read_bytes() == (whole / name).read_bytes()


def test_a_killed_driver_is_started_again_and_builds_everything(
    driver: Driver, whole: Path
) -> None:
    driver.start("--", *SHARDS)
    [held] = driver.hold("late")
    driver.kill()
    driver.start("--unlock")
    assert driver.finish() == 0, driver.told()
    # Its jobs are still there, and a second driver submits what they do not finish once more: the
    # shard's lock lets one of them write.
    driver.start("--", *SHARDS, "results/tables/geometry.parquet")
    driver.wait_for(lambda: len(fates(driver, "late")) == 2, "the shard is submitted again")
    driver.slurm.command("scancel", fates(driver, "late")[0]["JobId"])
    os.kill(held, signal.SIGCONT)
    assert driver.finish(360) == 0, driver.told()
    assert driver.resumed("late") > 0
    driver.assert_same_as(whole)

    for job in driver.jobs_of("geometry"):
        assert job["Partition"] == "cpu"
        assert "TresPerJob" not in job
    table = pl.read_parquet(driver.folder / "results/tables/geometry.parquet")
    assert sorted(table["model_name"].unique()) == sorted(MODELS)


def test_a_model_that_cannot_be_had_stops_nothing_and_is_tried_once(driver: Driver) -> None:
    """The others are made, and analysed by jobs of the cluster once the first pass is over."""
    driver.lose_weights("late")
    tables = [f"results/tables/{name}.parquet" for name in ("geometry", "coverage")]
    driver.start("--", *tables)
    assert driver.finish(360) != 0, driver.told()
    results = driver.folder / "results"
    table = pl.read_parquet(results / "tables" / "geometry.parquet")
    assert sorted(table["model_name"].unique()) == ["cancelled", "killed"], driver.told()
    coverage = pl.read_parquet(results / "tables" / "coverage.parquet")
    failed = coverage.filter(pl.col("state") == "failed")
    assert failed["model_name"].unique().to_list() == ["late"]
    assert failed["error"].unique().to_list() == ["WeightsError"]
    assert "there is no such file of weights" in failed["reason"][0]
    # Both were submitted again, and ended without another try.
    assert len(fates(driver, "late")) == 3
    assert "not tried again" in driver.printed("group_extract_late_extract")
    assert {job["Partition"] for job in driver.jobs_of("geometry")} == {"cpu"}
    assert {job["JobState"] for job in driver.jobs_of("geometry")} == {"COMPLETED"}


def test_a_drained_node_and_a_silent_controller_lose_nothing(driver: Driver, whole: Path) -> None:
    slurm = driver.slurm
    slurm.command("scontrol", "update", f"NodeName={slurm.host}", "State=DRAIN", "Reason=test")
    driver.start("--", *SHARDS)
    driver.wait_for(lambda: len(driver.jobs_of("extract")) == len(MODELS), "all is queued")
    assert set(states(driver.jobs_of("extract"))) == {"PENDING"}
    slurm.command("scontrol", "update", f"NodeName={slurm.host}", "State=RESUME")
    # All held: a step that a group begins while nobody answers fails, and the group comes again.
    held = driver.hold(*MODELS)
    # A controller that answers nobody for a while, longer than the tools that ask it wait.
    slurm.daemons["slurmctld"].send_signal(signal.SIGSTOP)
    try:
        time.sleep(25)
        assert driver.process.poll() is None, driver.told()
    finally:
        slurm.daemons["slurmctld"].send_signal(signal.SIGCONT)
    for process in held:
        os.kill(process, signal.SIGCONT)
    assert driver.finish(240) == 0, driver.told()
    assert set(states(driver.jobs_of("extract"))) == {"COMPLETED"}
    assert (driver.folder / shard("late", "train")).exists()
    driver.assert_same_as(whole)
