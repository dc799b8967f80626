"""Tell a person at a terminal how far an audit has come."""

from __future__ import annotations

import sys
import time


class Progress:
    """Prints a line to standard error every few seconds, none for a short run.

    Parameters
    ----------
    interval : float
        Seconds between two lines.
    """

    def __init__(self, interval: float = 5.0) -> None:
        self._interval = interval
        self._told = time.monotonic()

    def __call__(self, what: str, done: int, total: int, detail: str = "") -> None:
        """Note that ``done`` of ``total`` shards or rows have been looked at."""
        now = time.monotonic()
        if now - self._told >= self._interval:
            self._told = now
            print(f"{what}: {done:,}/{total:,}{detail}", file=sys.stderr, flush=True)
