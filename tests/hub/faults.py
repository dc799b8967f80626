"""Faults: what is done to the next requests of a name, on purpose."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from .exchange import Answer
from .routes import OF_A_REPOSITORY, ROUTES

_MESSAGES = {
    403: "Forbidden",
    408: "Request Timeout",
    429: "We had to rate limit you",
    500: "Internal Error - We're working hard to fix this as soon as possible!",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    507: "Insufficient Storage",
}
POLICY = '"fixed window";"api";q=500;w=300'


@dataclass
class Fault:
    """One thing that goes wrong.

    Attributes
    ----------
    route : str
        Name of the requests that it befalls.
    times : int or None
        How many; None: all, until faults are cleared.
    after : int
        How many are let through first.
    status : int or None
        The answer, instead of carrying the request out. A 429 says to wait for a second; a 507 is
        what storage answers that is full.
    headers : mapping of str
        More headers of that answer.
    message : str or None
        Its text.
    reset : bool
        The connection is closed in the middle: of the request's body, which is then not carried
        out; or, where a request has none, of the answer.
    lose_answer : bool
        The request is carried out, and the connection closed before the answer.
    delay : float
        Seconds to wait before it is carried out, or before whatever else goes wrong.
    another_writer : bool
        Somebody else's commit to the same repository happens right before it.
    """

    route: str
    times: int | None = 1
    after: int = 0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str | None = None
    reset: bool = False
    lose_answer: bool = False
    delay: float = 0.0
    another_writer: bool = False

    def __post_init__(self) -> None:
        if self.route not in ROUTES:
            raise ValueError(f"no route {self.route!r}; there are {', '.join(ROUTES)}")
        if sum([self.status is not None, self.reset, self.lose_answer]) > 1:
            raise ValueError("of `status`, `reset` and `lose_answer` only one can happen")
        if not (self.status or self.reset or self.lose_answer or self.delay or self.another_writer):
            raise ValueError("a fault without anything that goes wrong")
        if self.status is not None and self.status not in set(HTTPStatus):
            raise ValueError(f"{self.status} is no status of HTTP")
        if self.another_writer and self.route not in OF_A_REPOSITORY:
            raise ValueError(f"{self.route!r} names no repository that another could write to")

    @property
    def title(self) -> str:
        """What goes wrong, in a few words."""
        kinds = {
            f"status {self.status}": self.status is not None,
            "reset": self.reset,
            "lose answer": self.lose_answer,
            f"delay {self.delay:g} s": bool(self.delay),
            "another writer": self.another_writer,
        }
        return ", ".join(kind for kind, so in kinds.items() if so)

    def answer(self) -> Answer:
        """Return the answer that takes the place of the true one."""
        assert self.status is not None
        message = self.message or _MESSAGES.get(self.status, "A fault that a test asked for")
        headers = {"X-Error-Message": message}
        if self.status == 429:
            headers |= {"RateLimit": '"api";r=0;t=1', "RateLimit-Policy": POLICY}
        return Answer.of({"error": message}, self.status, {**headers, **self.headers})


class Faults:
    """Those that are still to happen: of a route, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, **options: Any) -> None:
        fault = Fault(**options)
        with self._lock:
            self._pending.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._pending.clear()

    def pending(self) -> list[dict[str, Any]]:
        """Return what has not happened yet, or not as often as asked for."""
        with self._lock:
            return [{"route": f.route, "fault": f.title, "times": f.times} for f in self._pending]

    def take(self, route: str) -> Fault | None:
        """Return what happens to this request."""
        with self._lock:
            for fault in self._pending:
                if fault.route != route:
                    continue
                if fault.after:
                    fault.after -= 1
                    return None
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._pending.remove(fault)
                return fault
        return None
