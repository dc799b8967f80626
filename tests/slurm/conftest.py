"""A cluster for a module's tests, the driver that runs the workflow on it, and what a run left."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from .cluster import Cluster, ClusterError, cluster, search_path, wait_for, why_not
from conftest import REPOSITORY, clean_environment, workflow_command

PROFILE = REPOSITORY / "workflow" / "profiles" / "slurm" / "config.yaml"
# Seeded networks, one for each thing that can happen to a job.
MODELS = ["killed", "cancelled", "late"]
SPLITS = {"train": 120, "test": 40}
TARGETS = [(model, "train") for model in MODELS] + [("killed", "test")]


def shard(model: str, split: str) -> str:
    return f"results/latents/mnist_5k/{model}/{split}.parquet"


SHARDS = [shard(*target) for target in TARGETS]


def write_config(folder: Path, lost: Collection[str] = ()) -> Path:
    """Write the configuration of a small collection, and its models; returns its path.

    The weights of ``lost`` models lie in a file that is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    models = [
        {
            "name": name,
            "architecture": "tf_efficientnet_lite0",
            "weights": {"source": "file", "path": "no.safetensors"}
            if name in lost
            else {"source": "random", "seed": seed},
        }
        for seed, name in enumerate(MODELS)
    ]
    path = folder / "models.yaml"
    path.write_text(yaml.safe_dump({"description": "a test", "models": models}))
    config = {
        "benchmarks": [{"name": "mnist_5k", "rows": SPLITS}],
        "models": {"file": "models.yaml"},
        # Small batches and parts: a job can be stopped between two of them.
        "extract": {"batch_size": 4, "batches_per_part": 2, "device": "cpu"},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return folder / "config.yaml"


def require(accounting: bool) -> None:
    """Skip where no cluster is asked for; fail where it is, and cannot be started.

    The tests start daemons as root and write to /etc/slurm: nobody should be surprised by that.
    """
    if os.environ.get("SEMASIA_REQUIRE_SLURM") != "1":
        pytest.skip("starts a SLURM cluster as root, where SEMASIA_REQUIRE_SLURM=1 asks for it")
    if reason := why_not(accounting):
        pytest.fail(f"SEMASIA_REQUIRE_SLURM=1, but {reason}", pytrace=False)


@pytest.fixture(scope="module")
def slurm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A cluster of this module's own; with ``ACCOUNTING = True`` in the module, with a database."""
    accounting = getattr(request.module, "ACCOUNTING", False)
    require(accounting)
    with cluster(tmp_path_factory.mktemp("cluster"), accounting) as running:
        yield running


@dataclass
class Driver:
    """A snakemake that submits to the cluster."""

    slurm: Cluster
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    # The last job before this driver: what it submitted has higher numbers.
    since: int = 0
    drivers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)

    def start(self, *arguments: str, **changes: Any) -> None:
        """Start it with the shipped profile, in which ``changes`` replace entries."""
        config = write_config(self.folder, self.lost)
        profile = self.folder / "profile"
        profile.mkdir(exist_ok=True)
        (profile / "config.yaml").write_text(yaml.safe_dump(changed_profile(changes)))
        with (self.folder / "driver.log").open("ab") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "snakemake", "--workflow-profile", str(profile)),
                    *("--snakefile", str(REPOSITORY / "workflow" / "Snakefile")),
                    *("--directory", str(self.folder)),
                    *("--configfile", str(config), *arguments),
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env={**clean_environment(), "PATH": search_path()},
            )
        self.drivers.append(self.process)

    def finish(self, seconds: float = 150) -> int:
        """Wait for it to end; returns its exit status."""
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise ClusterError(
                f"the driver did not end within {seconds:g} s\n{self.told()}"
            ) from None

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        for process in self.drivers:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def jobs_of(self, rule: str) -> list[dict[str, str]]:
        return self.slurm.jobs_of(rule, self.since)

    def wait_for(
        self, condition: Callable[[], object], what: str, seconds: float = 90, every: float = 0.2
    ) -> None:
        def holds() -> object:
            if not (found := condition()) and self.process.poll() is not None:
                raise ClusterError(f"the driver ended before: {what}\n{self.told()}")
            return found

        wait_for(holds, what, seconds, every, self.told)

    def told(self) -> str:
        """Return what a failure message should have: logs of the driver, the jobs, the daemons."""
        parts = [f"=== driver in {self.folder}", tail(self.folder / "driver.log", 80)]
        logs = [
            path
            for pattern in (".snakemake/slurm_logs/**/*.log", "results/logs/**/*.log")
            for path in self.folder.glob(pattern)
        ]
        logs.sort(key=lambda path: path.stat().st_mtime)
        parts += [f"--- {path.relative_to(self.folder)}\n{tail(path, 30)}" for path in logs[-6:]]
        return "\n".join([*parts, "=== cluster", self.slurm.logs()])

    def printed(self, group_or_rule: str) -> str:
        """Return what all jobs of a group or rule printed."""
        logs = self.folder.glob(f".snakemake/slurm_logs/{group_or_rule}/**/*.log")
        return "\n".join(path.read_text(errors="replace") for path in logs)

    def lose_weights(self, model: str) -> None:
        """Let a model's weights lie in a file that is not there."""
        self.lost.add(model)

    # --- extraction jobs, held still so that what happens to them happens at a known point

    def first_of(self, model: str) -> str:
        """Return the split of a model whose job has begun, as soon as one has."""
        logs = self.folder / f"results/logs/extract/mnist_5k/{model}"
        self.wait_for(lambda: list(logs.glob("*.log")), f"a job of {model}", every=0.01)
        return next(logs.glob("*.log")).stem

    def hold(self, *models: str, split: str = "train") -> list[int]:
        """Stop the processes that extract these models' splits, each after its first part.

        Returns their ids.
        """
        held: dict[str, int] = {}

        def all_held() -> bool:
            for model in set(models) - set(held):
                path = self.folder / shard(model, split)
                if any(path.parent.glob(f".{split}.parts/*/rows-*.arrow")):
                    logs = self.folder / f"results/logs/extract/mnist_5k/{model}"
                    for process in writing(logs):
                        os.kill(process, signal.SIGSTOP)
                        held[model] = process
                assert not path.exists(), f"{path} was finished before it was held\n{self.told()}"
            return len(held) == len(models)

        # Looked at closely, so that none is over before it is stopped.
        self.wait_for(all_held, f"first parts of {', '.join(models)}", every=0.01)
        return [held[model] for model in models]

    # --- what it left

    def resumed(self, model: str, split: str = "train") -> int:
        """Return how many rows of a shard were taken from parts of an earlier job."""
        path = self.folder / "results" / "timings" / "mnist_5k" / model / f"{split}.json"
        return json.loads(path.read_text())["rows_resumed"]

    def assert_same_as(self, whole: Path) -> None:
        """Hold the collection to the bytes of an undisturbed one, with nothing left lying about."""
        missing = [name for name in SHARDS if not (self.folder / name).exists()]
        assert not missing, f"missing: {missing}\n{self.told()}"
        for name in SHARDS:
            same = (self.folder / name).read_bytes() == (whole / name).read_bytes()
            assert same, f"{name} differs from the undisturbed run's\n{self.told()}"
        latents = self.folder / "results" / "latents"
        left = list(latents.rglob(".*"))
        assert not left, left
        assert not list(self.folder.glob("results/failures/**/*.json"))


def changed_profile(changes: dict[str, Any]) -> dict[str, Any]:
    """Return the shipped profile, waiting less and with a thread a job, and with changes.

    ``extract`` changes the resources of that rule, ``account`` the account that is billed.
    """
    profile = yaml.safe_load(PROFILE.read_text())
    profile["set-resources"]["extract"].update(changes.pop("extract", {}))
    if "account" in changes:
        profile["default-resources"]["slurm_account"] = changes.pop("account")
    return {
        **profile,
        "set-threads": {"extract": 1},
        "latency-wait": 15,
        "slurm-init-seconds-before-status-checks": 10,
        "max-status-checks-per-second": 1,
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }


def tail(path: Path, lines: int) -> str:
    if not path.exists():
        return "(no such file)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def writing(folder: Path) -> list[int]:
    """Return the processes that have a file of a folder open."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if any(handle.resolve().parent == folder for handle in (process / "fd").iterdir()):
                found.append(int(process.name))
    return found


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same shards, made on this machine without a cluster and undisturbed."""
    folder = tmp_path_factory.mktemp("whole").resolve()
    write_config(folder)
    done = subprocess.run(
        workflow_command(folder, "--set-threads", "extract=1", "--", *SHARDS),
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def driver(slurm: Cluster, whole: Path, tmp_path: Path) -> Iterator[Driver]:
    """A driver in a folder in which the images are prepared and nothing is extracted."""
    folder = tmp_path.resolve() / "run"
    shutil.copytree(whole / "results" / "inputs", folder / "results" / "inputs")
    # Snakemake's records of how they were made.
    shutil.copytree(whole / ".snakemake" / "metadata", folder / ".snakemake" / "metadata")
    running = Driver(slurm, folder, since=slurm.last_job())
    try:
        yield running
    finally:
        running.close()
        slurm.cancel_all()
        # Refused, and rightly, where the node is not drained.
        slurm.command("scontrol", "update", f"NodeName={slurm.host}", "State=RESUME", check=False)
