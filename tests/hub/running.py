"""A server in a process of its own, as tests see it."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .exchange import Record
from .repositories import Commit
from .routes import STORAGE, UPLOADS

_SECONDS_TO_START = 30
_KINDS = {"model": "models", "dataset": "datasets", "space": "spaces"}
# A client's first attempt and four more, a tenth of a second after each other at first.
_XET_RETRIES = {
    "HF_XET_CLIENT_RETRY_MAX_ATTEMPTS": "4",
    "HF_XET_CLIENT_RETRY_BASE_DELAY": "100ms",
    "HF_XET_CLIENT_RETRY_MAX_DURATION": "20s",
}
_QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_XET_TELEMETRY_ENABLED": "0",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
}


class HubServerError(RuntimeError):
    """The server did not do what a test asked of it."""


class RunningHub:
    """A running server. It outlives its clients, and ends with the process that started it.

    Attributes
    ----------
    endpoint, storage_endpoint : str
        The Hub, and the other host on which it keeps large files.
    namespace : str
        The user's own.
    organisation : str
        The user may write there, too.
    read_only_namespace, forbidden_namespace : str
        An organisation of the user's without the right to write, and a stranger's.
    token, read_token, expired_token, stranger_token : str
    environment : dict of str
        For processes of clients: this Hub and token, a home of its own, no proxies.
    """

    endpoint: str
    storage_endpoint: str
    namespace: str
    organisation: str
    read_only_namespace: str
    forbidden_namespace: str
    token: str
    read_token: str
    expired_token: str
    stranger_token: str

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port
        for name, value in self._call("describe").items():
            setattr(self, name, value)
        self.environment = self.fresh_environment()

    def fresh_environment(self, token: str | None = None, **changes: str) -> dict[str, str]:
        """Return an environment with an empty home: another machine, as clients see it.

        Parameters
        ----------
        token : str or None
            Instead of the user's; empty: none.
        changes : dict of str
            Further variables, such as HF_HUB_DISABLE_XET.
        """
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("HF_", "HUGGING")) and not name.lower().endswith("_proxy")
        }
        home = tempfile.mkdtemp(prefix="home-", dir=self._folder)
        ours = {"HF_ENDPOINT": self.endpoint, "HF_HOME": home, "HF_TOKEN": token or self.token}
        if token == "":
            del ours["HF_TOKEN"]
        return {**kept, **ours, **_XET_RETRIES, **_QUIET, **changes}

    # --- faults

    def fail(self, route: str, **fault: Any) -> None:
        """Let something go wrong with the next requests of a name; see ``faults.Fault``."""
        self._call("fail", route=route, **fault)

    def clear_faults(self) -> None:
        self._call("clear_faults")

    def pending_faults(self) -> list[dict[str, Any]]:
        """Return the faults that have not happened yet as often as they were asked for."""
        return self._call("pending_faults")

    # --- what was asked of it

    def requests(self, route: str | None = None, host: str | None = None) -> list[Record]:
        """Return the requests that came, in their order; of one name, or to one host."""
        return [
            record
            for record in (Record(**row) for row in self._call("requests"))
            if route in {None, record.route} and host in {None, record.host}
        ]

    def bytes_received(self, route: str | None = None) -> int:
        """Return the bytes that came in bodies of a name; without one, of all that send files."""
        wanted = UPLOADS if route is None else (route,)
        return sum(record.received for record in self.requests() if record.route in wanted)

    def bytes_sent(self, host: str | None = None) -> int:
        """Return the bytes that left in bodies of answers; of one host, or of both."""
        return sum(record.sent for record in self.requests(host=host))

    def leaks(self) -> list[Record]:
        """Return the requests that brought a token of the Hub to the host of storage."""
        tokens = (self.token, self.read_token, self.expired_token, self.stranger_token)
        return [
            record
            for record in self.requests(host=STORAGE)
            if any(token in record.text for token in tokens)
        ]

    def forget_requests(self) -> None:
        """Count from nothing again."""
        self._call("forget_requests")

    def errors(self) -> list[str]:
        """Return the tracebacks of the server's own failures: there must be none."""
        return self._call("errors")

    # --- what it holds

    def files(
        self, repo_id: str, revision: str = "main", repo_type: str = "dataset"
    ) -> dict[str, str]:
        """Return the SHA-256 of every file of a repository, by path."""
        return self._call("files", kind=_KINDS[repo_type], id=repo_id, revision=revision)

    def commits(
        self, repo_id: str, revision: str = "main", repo_type: str = "dataset"
    ) -> list[Commit]:
        """Return the commits of a repository, newest first; the last is the Hub's own."""
        rows = self._call("commits", kind=_KINDS[repo_type], id=repo_id, revision=revision)
        return [Commit(**{**row, "parents": tuple(row["parents"])}) for row in rows]

    def read(
        self, repo_id: str, path: str, revision: str = "main", repo_type: str = "dataset"
    ) -> bytes:
        """Return the content of a file."""
        arguments = {"kind": _KINDS[repo_type], "id": repo_id, "revision": revision}
        return base64.b64decode(self._call("read", path=path, **arguments))

    def write(
        self,
        repo_id: str,
        path: str,
        content: bytes,
        repo_type: str = "dataset",
        private: bool = False,
    ) -> str:
        """Commit a small file as a stranger, whoever the repository is; returns the commit.

        A repository that is not there is made.
        """
        return self._call(
            "write",
            kind=_KINDS[repo_type],
            id=repo_id,
            path=path,
            content=base64.b64encode(content).decode(),
            private=private,
        )

    def collections(self) -> list[dict[str, Any]]:
        """Return all collections, as the API tells them."""
        return self._call("collections")

    def _call(self, name: str, **arguments: Any) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        with contextlib.closing(connection):
            asked = json.dumps({"name": name, "arguments": arguments})
            connection.request("POST", "/", asked)
            told = json.loads(connection.getresponse().read())
        if "error" in told:
            raise HubServerError(f"{name}: {told['error']}")
        return told["result"]


@contextlib.contextmanager
def running_hub(folder: Path) -> Iterator[RunningHub]:
    """Start a server that keeps its files under a folder, and stop it however the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            # Without site-packages, of which it needs nothing, it starts in a third of the time.
            [sys.executable, "-S", "-m", __package__ or "hub", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=_server_environment(os.environ),
            # Ctrl-C is for the tests, which then stop it.
            start_new_session=True,
        )
    try:
        yield RunningHub(folder, _port_of(process, folder))
    finally:
        _stop(process)


def _server_environment(environment: Mapping[str, str]) -> dict[str, str]:
    root = Path(__file__).parents[len((__package__ or "hub").split("."))]
    return {**environment, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}


def _port_of(process: subprocess.Popen[bytes], folder: Path) -> int:
    assert process.stdout is not None
    timer = threading.Timer(_SECONDS_TO_START, process.kill)
    timer.start()
    line = process.stdout.readline()
    timer.cancel()
    if not line.strip():
        log = (folder / "server.log").read_text(errors="replace")
        raise HubServerError(f"the server did not start\n{log}")
    return int(line)


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    process.stdout.close()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
