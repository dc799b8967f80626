"""A cluster with an accounting database: the account is billed, and its loss stops nothing."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from .cluster import ACCOUNT
from .conftest import SHARDS, Driver

# Read by the fixture `slurm`.
ACCOUNTING = True

pytestmark = pytest.mark.timeout(420)


def test_the_loss_of_the_accounting_database_stops_nothing(driver: Driver, whole: Path) -> None:
    slurm = driver.slurm
    driver.start("--", *SHARDS, account=ACCOUNT)
    [held] = driver.hold("late")
    assert {job["Account"] for job in driver.jobs_of("extract")} == {ACCOUNT}
    # Longer than the 20 s after which a driver that asks sacct has forgotten its jobs.
    slurm.stop_daemon("slurmdbd")
    slurm.stop_daemon("mariadbd")
    time.sleep(30)
    assert driver.process.poll() is None, driver.told()
    os.kill(held, signal.SIGCONT)
    # It ends while the database is still away.
    assert driver.finish() == 0, driver.told()
    driver.assert_same_as(whole)
