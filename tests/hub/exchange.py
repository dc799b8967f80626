"""What goes over the wire: requests, answers, refusals, and the record that is kept of each."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any


@dataclass
class Request:
    """A request that arrived whole.

    Attributes
    ----------
    method : str
    path : str
        As it was sent, still quoted, without the query.
    parts : dict of str
        What the path says, unquoted: namespace, name, revision, path, …
    query : dict of list of str
    headers : Message
    body : bytes
    """

    method: str
    path: str
    parts: dict[str, str]
    query: dict[str, list[str]]
    headers: Message
    body: bytes

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            raise RefusedError(400, "The body is not JSON") from None

    def argument(self, name: str) -> str | None:
        """Return the last value of an argument of the query; None: it has none."""
        return self.query[name][-1] if name in self.query else None

    def flag(self, name: str) -> bool:
        """Return whether an argument is given, and is not said to be false."""
        return (self.argument(name) or "").lower() in {"true", "1"}

    def bearer(self) -> str | None:
        scheme, _, value = (self.headers["Authorization"] or "").partition(" ")
        return value.strip() if scheme.lower() == "bearer" else None


@dataclass
class Answer:
    """What is sent back."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
        """Send JSON."""
        content = {"Content-Type": "application/json; charset=utf-8"}
        return cls(status, json.dumps(data).encode(), {**content, **(headers or {})})

    @classmethod
    def part(cls, content: bytes | Path, request: Request, headers: Mapping[str, str]) -> Answer:
        """Send content, or as much of it as the request's Range asks for."""
        size = content.stat().st_size if isinstance(content, Path) else len(content)
        wanted = byte_range(request, size)
        first, last = wanted or (0, size - 1)
        if isinstance(content, Path):
            with content.open("rb") as file:
                file.seek(first)
                body = file.read(last - first + 1)
        else:
            body = content[first : last + 1]
        sent = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes", **headers}
        if wanted is None:
            return cls(200, body, sent)
        return cls(206, body, {**sent, "Content-Range": f"bytes {first}-{last}/{size}"})


class RefusedError(Exception):
    """An answer that says no, as the Hub says it.

    Parameters
    ----------
    status : int
    message : str
    code : str or None
        What the client tells its exceptions apart by: RepoNotFound, RevisionNotFound,
        EntryNotFound.
    headers : mapping of str
    extra : mapping
        More that is in the JSON.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        told = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
        self.answer = Answer.of(
            {"error": message, **(extra or {})}, status, {**told, **(headers or {})}
        )


@dataclass
class Record:
    """What is kept of a request.

    Attributes
    ----------
    route : str
        Its name, one of ROUTES; "unknown" if it has none.
    host : str
        "hub" or "storage".
    method, url : str
    headers : str
        As they were sent.
    received : int
        Bytes of the body that were read, which is less than all if the connection broke.
    sent : int
        Bytes of the answer's body.
    status : int
        Of the answer; 0 if none was sent whole.
    fault : str or None
        What was done to it on purpose.
    """

    route: str
    host: str
    method: str
    url: str
    headers: str
    received: int = 0
    sent: int = 0
    status: int = 0
    fault: str | None = None

    @property
    def text(self) -> str:
        """Everything that was sent but the body, to be searched."""
        return f"{self.method} {self.url}\n{self.headers}"


def byte_range(request: Request, size: int) -> tuple[int, int] | None:
    """Return first and last byte that a request asks for; None: it asks for everything.

    Raises
    ------
    RefusedError
        416, if they are not there.
    """
    unit, _, wanted = (request.headers["Range"] or "").partition("=")
    if unit.strip() != "bytes" or "," in wanted:
        return None
    first, _, last = wanted.strip().partition("-")
    if not first:
        start, stop = max(0, size - int(last)), size - 1
    else:
        start, stop = int(first), min(int(last), size - 1) if last else size - 1
    if start > stop:
        headers = {"Content-Range": f"bytes */{size}"}
        raise RefusedError(416, "The range is not in the file", headers=headers)
    return start, stop


def timestamp(seconds: float | None = None) -> str:
    """Return a time as the Hub writes it; the client takes no other form."""
    seconds = time.time() if seconds is None else seconds
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"
