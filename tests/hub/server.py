"""The server: two hosts that the clients see, and a third address by which tests control it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from .accounts import ORGANISATION, READ_ONLY_ORGANISATION, STRANGER, USER, Accounts
from .collected import Collections
from .exchange import Answer, Record, RefusedError, Request
from .faults import POLICY, Fault, Faults
from .hub_api import HubApi
from .repositories import Repositories
from .routes import HUB, STORAGE, UNKNOWN, match
from .storage import Objects, Passes, Signatures
from .storage_api import StorageApi
from .xet import Xet

HUB_ADDRESS = "127.0.0.1"
# Another host, not another port: clients compare names of hosts where they drop a token.
STORAGE_ADDRESS = "127.0.0.2"
_READ = 2**16


class GoneError(Exception):
    """The client went away in the middle of its request."""


class Site:
    """Everything that the listeners share.

    Parameters
    ----------
    folder : Path
        Where repositories and files are kept.
    endpoint, storage_endpoint : str
    """

    def __init__(self, folder: Path, endpoint: str, storage_endpoint: str) -> None:
        self.accounts = Accounts()
        self.repositories = Repositories(folder / "repositories")
        self.objects = Objects(folder / "objects")
        self.collections = Collections()
        self.faults = Faults()
        self.records: list[Record] = []
        self.errors: list[str] = []
        shared = {
            "accounts": self.accounts,
            "objects": self.objects,
            "xet": Xet(folder / "xorbs", self.objects),
            "signatures": Signatures(),
            "passes": Passes(),
        }
        self.hub = HubApi(
            endpoint,
            storage_endpoint,
            repositories=self.repositories,
            collections=self.collections,
            **shared,
        )
        self.storage = StorageApi(storage_endpoint, **shared)

    def answer(self, host: str, route: str, request: Request, record: Record) -> Answer:
        """Carry a request out; an error of the server itself is kept, for tests to see."""
        try:
            if host == STORAGE:
                self.storage.check(record.text)
            if route == UNKNOWN:
                raise RefusedError(404, "Sorry, we can't find the page you are looking for.")
            return getattr(self.hub if host == HUB else self.storage, route)(request)
        except RefusedError as refusal:
            return refusal.answer
        except Exception:
            told = f"{record.method} {record.url}\n{traceback.format_exc()}"
            self.errors.append(told)
            return Answer.of({"error": told}, 500)


class Listener(ThreadingHTTPServer):
    """One host."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: str, host: str, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__((address, 0), handler)
        self.host = host
        self.site: Site | None = None
        self.endpoint = f"http://{address}:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that was killed is no error of the server's; others are kept.
        if not isinstance(sys.exception(), OSError | GoneError) and self.site is not None:
            self.site.errors.append(traceback.format_exc())

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    """Requests of clients: faults happen here."""

    server: Listener
    protocol_version = "HTTP/1.1"
    # Answers are written at once; waiting for more would cost 40 ms each.
    disable_nagle_algorithm = True

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep quiet; requests are recorded."""

    def handle_request(self) -> None:
        site = self.server.site
        assert site is not None
        path, _, query = self.path.partition("?")
        route, parts = match(self.server.host, self.command, path)
        record = Record(
            route, self.server.host, self.command, self.server.endpoint + self.path,
            str(self.headers).strip(),
        )  # fmt: skip
        site.records.append(record)
        fault = site.faults.take(route)
        record.fault = fault.title if fault else None
        body = self._body(record, fault)
        if fault and fault.delay:
            time.sleep(fault.delay)
        if body is None:
            self._cut()
            return
        if fault and fault.another_writer:
            kind, id = parts.get("kind", "models"), f"{parts['namespace']}/{parts['name']}"
            # If there is no such repository, the answer says so.
            with contextlib.suppress(RefusedError):
                site.hub.another_writer(kind, id)
        if fault and fault.status is not None:
            answer = fault.answer()
        else:
            known = parse_qs(query, keep_blank_values=True)
            request = Request(self.command, path, parts, known, self.headers, body)
            answer = site.answer(self.server.host, route, request, record)
        if fault and fault.lose_answer:
            self._cut()
            return
        self._send(answer, record, whole=not (fault and fault.reset))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_request  # noqa: N815

    def _body(self, record: Record, fault: Fault | None) -> bytes | None:
        """Read the body; None: the connection is to be closed in the middle of it."""
        chunked = "chunked" in (self.headers["Transfer-Encoding"] or "").lower()
        length = int(self.headers["Content-Length"] or 0)
        reset = fault is not None and fault.reset
        if reset and not chunked and not length:
            # Reading changes nothing, and can break off in the answer.
            return b"" if self.command in {"GET", "HEAD"} else None
        stop = length // 2 if reset else length
        pieces = []
        for piece in self._chunks() if chunked else self._pieces(stop):
            record.received += len(piece)
            pieces.append(piece)
            if reset and chunked:
                return None
        return None if reset else b"".join(pieces)

    def _pieces(self, length: int) -> Iterator[bytes]:
        while length > 0:
            piece = self.rfile.read1(min(length, _READ))
            if not piece:
                raise GoneError
            length -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        while length := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            yield from self._pieces(length)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailing headers

    def _cut(self) -> None:
        # With what was sent still unread, the system tells the client of a reset.
        self.close_connection = True

    def _send(self, answer: Answer, record: Record, whole: bool) -> None:
        assert self.server.site is not None
        headers = {
            "X-Request-Id": f"test-{len(self.server.site.records)}",
            "Content-Length": str(len(answer.body)),
        }
        if self.server.host == HUB:
            # Every answer of the Hub says how many requests are left.
            headers |= {"RateLimit": '"api";r=499;t=300', "RateLimit-Policy": POLICY}
        lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in {**headers, **answer.headers}.items()]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
        body = b"" if self.command == "HEAD" else answer.body
        if whole:
            # First, because whoever gets the answer may ask for the record at once.
            record.status, record.sent = answer.status, len(body)
            try:
                self.wfile.write(head + body)
            except OSError:
                record.status = record.sent = 0
                raise
        else:
            self.wfile.write(head + body[: len(body) // 2] if body else head[: len(head) // 2])
            self.close_connection = True


class Control:
    """What tests ask of the server and do to it; arguments and results can be put into JSON."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def describe(self) -> dict[str, Any]:
        """Return addresses, names and tokens."""
        return {
            "endpoint": self._site.hub.endpoint,
            "storage_endpoint": self._site.storage.endpoint,
            "namespace": USER,
            "organisation": ORGANISATION,
            "read_only_namespace": READ_ONLY_ORGANISATION,
            "forbidden_namespace": STRANGER,
            **{name: token.value for name, token in self._site.accounts.named.items()},
        }

    def fail(self, **fault: Any) -> None:
        self._site.faults.add(**fault)

    def clear_faults(self) -> None:
        self._site.faults.clear()

    def pending_faults(self) -> list[dict[str, Any]]:
        return self._site.faults.pending()

    def requests(self) -> list[dict[str, Any]]:
        return [asdict(record) for record in list(self._site.records)]

    def forget_requests(self) -> None:
        self._site.records.clear()

    def errors(self) -> list[str]:
        return list(self._site.errors)

    def collections(self) -> list[dict[str, Any]]:
        return self._site.collections.all()

    def files(self, kind: str, id: str, revision: str) -> dict[str, str]:
        """Return the SHA-256 of every file."""
        found = self._repository(kind, id)
        files = [e for e in found.tree(found.revision(revision)).values() if not e.is_folder]
        return {
            e.path: e.large.sha256 if e.large else hashlib.sha256(found.blob(e.oid)).hexdigest()
            for e in files
        }

    def commits(self, kind: str, id: str, revision: str) -> list[dict[str, Any]]:
        found = self._repository(kind, id)
        return [commit._asdict() for commit in found.history(found.revision(revision))]

    def read(self, kind: str, id: str, path: str, revision: str) -> str:
        """Return a file's content in base64."""
        found = self._repository(kind, id)
        entry = found.entry(found.revision(revision), path)
        large = entry.large
        content = self._site.objects.path(large.sha256).read_bytes() if large else None
        return base64.b64encode(found.blob(entry.oid) if content is None else content).decode()

    def write(self, kind: str, id: str, path: str, content: str, private: bool) -> str:
        """Commit a file as a stranger, into a repository that is made if it is not there."""
        found = self._site.repositories.find(kind, id)
        found = found or self._site.repositories.create(kind, id, private)
        text = base64.b64decode(content)
        return found.commit({path: text}, (), f"Add {path}", "", STRANGER)

    def _repository(self, kind: str, id: str) -> Any:
        found = self._site.repositories.find(kind, id)
        if found is None:
            raise KeyError(f"there is no repository {id!r} among the {kind}")
        return found


class ControlHandler(BaseHTTPRequestHandler):
    """Calls of tests: the name of a method of Control and its arguments, in JSON."""

    server: Listener
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep quiet."""

    def do_POST(self) -> None:
        site = self.server.site
        assert site is not None
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            result = {"result": getattr(Control(site), asked["name"])(**asked["arguments"])}
        except RefusedError as refusal:
            result = {"error": str(refusal)}
        except Exception as error:
            result = {"error": f"{type(error).__name__}: {error}"}
        body = json.dumps(result).encode()
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def main() -> None:
    """Serve until the standard input ends, which it does when whoever started this is gone."""
    folder = Path(sys.argv[1])
    listeners = [
        Listener(HUB_ADDRESS, HUB, Handler),
        Listener(STORAGE_ADDRESS, STORAGE, Handler),
        Listener(HUB_ADDRESS, "control", ControlHandler),
    ]
    hub, storage, control = listeners
    site = Site(folder, hub.endpoint, storage.endpoint)
    for listener in listeners:
        listener.site = site
        listener.start()
    print(control.server_address[1], flush=True)
    while os.read(sys.stdin.fileno(), _READ):
        pass
    # Threads may be in the middle of a request that nobody waits for.
    sys.stdout.flush()
    os._exit(0)
