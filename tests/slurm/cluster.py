"""A real SLURM cluster of one node on this machine, from Debian's packages, for tests.

`munged`, `slurmctld` and `slurmd` (with accounting also `mariadbd` and `slurmdbd`) are started by
hand on loopback as root, and stopped by the process ids that were recorded. SLURM's configuration
must be at its built-in path, because the plugin's job step drops `SLURM_CONF`; one that this module
did not write is never touched.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

CONFIGURATION = Path("/etc/slurm")
OURS = "# Written by semasia's tests (tests/slurm/cluster.py) and removed by them.\n"
ACCOUNT = "semasia"
CLUSTER = "semasia-test"

PROGRAMS = ("munged", "munge", "slurmctld", "slurmd", "sinfo", "sbatch", "srun", "scancel")
ACCOUNTING_PROGRAMS = ("slurmdbd", "sacctmgr", "mariadbd", "mariadb-install-db")

SLURM_CONF = """\
ClusterName={cluster}
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
SlurmctldPort={ctld_port}
SlurmdPort={slurmd_port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
# No cgroups and no systemd in a container.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
# More processors and memory than there may be: what is tested is the asking.
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=10
MpiDefault=none
SwitchType=switch/none
MailProg=/bin/true
SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=0
MaxJobCount=50000
# The driver asks squeue, which must still know the jobs that are over.
MinJobAge=3600
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=100000 Gres=gpu:fake:4 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes={host} MaxTime=INFINITE State=UP
"""

WITHOUT_ACCOUNTING = "AccountingStorageType=accounting_storage/none\n"

WITH_ACCOUNTING = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={dbd_port}
AccountingStorageTRES=gres/gpu
"""

SLURMDBD_CONF = """\
AuthType=auth/munge
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={dbd_port}
SlurmUser=root
PidFile={folder}/slurmdbd.pid
LogFile={folder}/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={mariadb_port}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct
"""


class ClusterError(RuntimeError):
    """The cluster did not do what it should; the message ends with the daemons' logs."""


def why_not(accounting: bool = False) -> str | None:
    """Return why no cluster can be started here, or None where one can."""
    if os.geteuid() != 0:
        return "a SLURM cluster of one's own needs root"
    path = search_path()
    wanted = PROGRAMS + (ACCOUNTING_PROGRAMS if accounting else ())
    missing = [name for name in wanted if shutil.which(name, path=path) is None]
    if missing:
        packages = "munge slurmctld slurmd slurm-client"
        packages += " slurmdbd mariadb-server" if accounting else ""
        return f"{', '.join(missing)} not found: apt-get install {packages}"
    for name in ("slurm.conf", "gres.conf", "slurmdbd.conf"):
        path = CONFIGURATION / name
        if path.exists() and not path.read_text(errors="replace").startswith(OURS):
            return f"{path} is not the tests' own: a SLURM cluster is configured here"
    return None


def search_path() -> str:
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


def wait_for(
    condition: Callable[[], object],
    what: str,
    seconds: float,
    every: float = 0.2,
    told: Callable[[], str] = str,
) -> None:
    """Wait until a condition holds, or raise ClusterError with what ``told`` says."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise ClusterError(f"not within {seconds:g} s: {what}\n{told()}")
        time.sleep(every)


@dataclass
class Cluster:
    """A running cluster; every wait is bounded, and every failure carries the logs."""

    folder: Path
    accounting: bool
    host: str = field(default_factory=lambda: socket.gethostname().split(".")[0])
    daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    # --- what tests use

    def command(self, *words: str, check: bool = True) -> str:
        """Run one of SLURM's commands; returns what it prints."""
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=60, env=self.environment()
        )
        if check and done.returncode:
            raise ClusterError(f"{' '.join(words)}: {done.stderr}\n{self.logs()}")
        return done.stdout

    def jobs(self) -> list[dict[str, str]]:
        """Return the jobs the controller knows, oldest first, as `scontrol show job` tells them."""
        text = self.command("scontrol", "--oneliner", "show", "job")
        rows = [
            dict(word.split("=", 1) for word in line.split() if "=" in word)
            for line in text.splitlines()
        ]
        return sorted((r for r in rows if "JobId" in r), key=lambda r: int(r["JobId"]))

    def jobs_of(self, rule: str, since: int = 0) -> list[dict[str, str]]:
        """Return the jobs of a rule (or group) numbered higher than ``since``."""
        return [
            job
            for job in self.jobs()
            if int(job["JobId"]) > since and f"rule_{rule}" in job.get("Comment", "")
        ]

    def last_job(self) -> int:
        return max((int(job["JobId"]) for job in self.jobs()), default=0)

    def cancel_all(self) -> None:
        """Cancel every job, and wait until none is left."""
        self.command("scancel", "--user", "root", check=False)
        wait_for(
            lambda: not self.command("squeue", "--noheader").strip(),
            "an empty queue",
            60,
            told=self.logs,
        )

    def logs(self, lines: int = 25) -> str:
        """Return the ends of the daemons' logs and the queue, for failure messages."""
        parts = []
        for path in sorted(self.folder.glob("*.log")):
            tail = path.read_text(errors="replace").splitlines()[-lines:]
            parts.append("\n".join([f"--- {path.name}", *tail]))
        queue = subprocess.run(
            ["squeue", "--states=all", "--format=%i %P %T %r %m %b %k"],
            capture_output=True,
            text=True,
            env=self.environment(),
        )
        return "\n".join([*parts, "--- squeue", queue.stdout[-3000:], queue.stderr])

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PATH": search_path()}

    # --- starting and stopping

    def start(self) -> None:
        reason = why_not(self.accounting)
        if reason:
            raise ClusterError(reason)
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        names = ("ctld_port", "slurmd_port", "dbd_port", "mariadb_port")
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))
        self._start_munge()
        self._write_configuration()
        if self.accounting:
            self._start_mariadb()
            self.start_slurmdbd()
            self._add_account()
        self._start("slurmctld", "slurmctld", "-i", "-D")
        wait_for(
            lambda: "UP" in self.command("scontrol", "ping", check=False),
            "slurmctld answers",
            60,
            told=self.logs,
        )
        self._start("slurmd", "slurmd", "-D", "-N", self.host)
        wait_for(
            lambda: set(self.command("sinfo", "-h", "-o", "%T", check=False).split()) == {"idle"},
            "the node is idle",
            60,
            told=self.logs,
        )

    def stop(self) -> None:
        """Stop every daemon that was started, newest first, and remove the configuration."""
        if "slurmctld" in self.daemons and self.daemons["slurmctld"].poll() is None:
            with contextlib.suppress(Exception):
                self.cancel_all()
        for name in reversed(list(self.daemons)):
            self.stop_daemon(name)
        for name in ("slurm.conf", "gres.conf", "slurmdbd.conf"):
            path = CONFIGURATION / name
            if path.exists() and path.read_text(errors="replace").startswith(OURS):
                path.unlink()

    def stop_daemon(self, name: str) -> None:
        process = self.daemons.pop(name, None)
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def start_slurmdbd(self) -> None:
        self._start("slurmdbd", "slurmdbd", "-D")
        wait_for(
            lambda: self._succeeds("sacctmgr", "-n", "show", "cluster"),
            "slurmdbd answers",
            60,
            told=self.logs,
        )

    def _succeeds(self, *words: str) -> bool:
        return subprocess.run(words, capture_output=True, env=self.environment()).returncode == 0

    def _start(self, name: str, *words: str) -> None:
        with (self.folder / f"{name}.out.log").open("ab") as output:
            self.daemons[name] = subprocess.Popen(
                words,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                # Not the terminal's: Ctrl-C must reach the tests alone, which then stop it.
                start_new_session=True,
                env=self.environment(),
            )
        (self.folder / "daemons.json").write_text(
            json.dumps({n: p.pid for n, p in self.daemons.items()})
        )

    def _start_munge(self) -> None:
        if self._succeeds("munge", "-n"):
            raise ClusterError("a munged answers already on /run/munge: it is not the tests' own")
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        # The built-in socket: sacct and sacctmgr ignore another.
        Path("/run/munge").mkdir(exist_ok=True)
        self._start(
            *("munged", "munged", "--foreground", "--force"),
            *("--key-file", str(key), "--pid-file", str(self.folder / "munged.pid")),
            *("--log-file", str(self.folder / "munged.log")),
            *("--seed-file", str(self.folder / "munged.seed")),
        )
        wait_for(lambda: self._succeeds("munge", "-n"), "munged answers", 20, told=self.logs)

    def _write_configuration(self) -> None:
        text = SLURM_CONF + (WITH_ACCOUNTING if self.accounting else WITHOUT_ACCOUNTING)
        values = {"cluster": CLUSTER, "host": self.host, "folder": self.folder, **self.ports}
        CONFIGURATION.mkdir(exist_ok=True)
        (CONFIGURATION / "slurm.conf").write_text(OURS + text.format(**values))
        # Devices that are not there; each must be a character device.
        devices = []
        for i in range(4):
            devices.append(self.folder / f"gpu{i}")
            devices[-1].symlink_to("/dev/null")
        gres = "".join(
            f"NodeName={self.host} Name=gpu Type=fake File={device}\n" for device in devices
        )
        (CONFIGURATION / "gres.conf").write_text(OURS + gres)
        if self.accounting:
            path = CONFIGURATION / "slurmdbd.conf"
            path.touch(mode=0o600)
            path.chmod(0o600)
            path.write_text(OURS + SLURMDBD_CONF.format(**values))

    def _start_mariadb(self) -> None:
        data, where = self.folder / "mariadb", self.folder / "mariadb.sock"
        with (self.folder / "mariadb-install.log").open("wb") as output:
            subprocess.run(
                [
                    *("mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=root"),
                    *("--auth-root-authentication-method=normal", "--skip-test-db"),
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment(),
                check=True,
                timeout=120,
            )
        self._start(
            *("mariadbd", "mariadbd", "--no-defaults", f"--datadir={data}", "--user=root"),
            *(f"--socket={where}", f"--port={self.ports['mariadb_port']}"),
            *("--bind-address=127.0.0.1", f"--pid-file={self.folder / 'mariadb.pid'}"),
            *("--innodb-buffer-pool-size=64M", "--skip-name-resolve"),
        )
        query = ["mariadb", "--no-defaults", f"--socket={where}", "-u", "root", "-e"]
        wait_for(lambda: self._succeeds(*query, "SELECT 1"), "mariadbd answers", 60, told=self.logs)
        grant = "GRANT ALL ON slurm_acct.* TO 'slurm'@'127.0.0.1' IDENTIFIED BY 'slurm'"
        self.command(*query, f"CREATE DATABASE slurm_acct; {grant}")

    def _add_account(self) -> None:
        add = ("sacctmgr", "--immediate", "add")
        self.command(*add, "cluster", CLUSTER)
        self.command(*add, "account", ACCOUNT, f"Cluster={CLUSTER}")
        self.command(*add, "user", "root", f"Account={ACCOUNT}", f"Cluster={CLUSTER}", check=False)


@contextlib.contextmanager
def cluster(folder: Path, accounting: bool = False) -> Iterator[Cluster]:
    """Start a cluster, and stop it however the block ends."""
    running = Cluster(folder, accounting)
    try:
        running.start()
        yield running
    finally:
        running.stop()
