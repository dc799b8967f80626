"""Gather latents into parts and save each when it is whole, beside the accelerator's work."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import numpy as np

from semasia.extraction.timings import Timings
from semasia.latents import ShardWriter

# Parts held that are not written yet, beside the one that is filled: the memory of three in all.
_WAITING = 1

_Step = Callable[[range, np.ndarray], None]


class Keeper:
    """Saves latents; a context, at whose end nothing is left to write.

    Parameters
    ----------
    writer : ShardWriter
    parts : list of range
        The rows still to compute, part by part.
    width : int
    timings : Timings
        ``write`` is added up here.
    beside : bool
        Save parts, and assemble the shard of them, each in a thread of its own while the next rows
        are computed, which an accelerator does not notice. A processor has no core to spare: there
        both is done when a part is whole.
    """

    def __init__(
        self,
        writer: ShardWriter,
        parts: list[range],
        width: int,
        timings: Timings,
        *,
        beside: bool,
    ) -> None:
        self._writer = writer
        self._parts = iter(parts)
        self._width = width
        self._timings = timings
        self._part = range(0)
        self._latents = np.empty((0, width), np.float32)
        self._filled = 0
        self._threads = [ThreadPoolExecutor(1, name) for name in ("save", "assemble") if beside]
        self._under_way: deque[list[Future[float]]] = deque()
        self._failed = False

    def __enter__(self) -> Keeper:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for thread in self._threads:
            thread.shutdown(wait=True)
        if error is None:
            self._wait(0)

    def add(self, rows: range, latents: np.ndarray) -> None:
        """Keep the (b, width) float32 latents of the rows that follow."""
        if rows.start not in self._part:
            self._part = next(self._parts)
            self._latents = np.empty((len(self._part), self._width), np.float32)
        self._filled = rows.stop - self._part.start
        self._latents[self._filled - len(rows) : self._filled] = latents
        if rows.stop == self._part.stop:
            self.flush()

    def flush(self) -> None:
        """Save what is gathered: a part, or its beginning if the process was asked to end."""
        if not self._filled:
            return
        self._wait(_WAITING)
        start = self._part.start
        rows, latents = range(start, start + self._filled), self._latents[: self._filled]
        self._filled = 0
        steps = self._writer.save, self._writer.assemble
        if self._threads:
            pairs = zip(self._threads, steps, strict=True)
            self._under_way.append([t.submit(self._timed, s, rows, latents) for t, s in pairs])
        else:
            self._timings.write += sum(self._timed(step, rows, latents) for step in steps)

    def _timed(self, step: _Step, rows: range, latents: np.ndarray) -> float:
        """Take a step and return its seconds; after one that failed none is taken."""
        began = time.perf_counter()
        if not self._failed:
            try:
                step(rows, latents)
            except BaseException:
                self._failed = True
                raise
        return time.perf_counter() - began

    def _wait(self, most: int) -> None:
        """Wait until so many parts at most are under way; an error of one of them is raised."""
        while len(self._under_way) > most or (
            self._under_way and all(step.done() for step in self._under_way[0])
        ):
            # Two threads at once: the time that writing takes is the longer one's.
            self._timings.write += max([step.result() for step in self._under_way.popleft()])
