"""Gather latents into parts and save each when it is whole, beside the accelerator's work."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import numpy as np

from semasia.extraction.timings import Timings
from semasia.latents import ShardWriter


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
        Write in a thread while the next rows are computed, one part at a time, which an accelerator
        does not notice. A processor has no core to spare: there a part is written when it is whole.
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
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="write") if beside else None
        self._writing: Future[None] | None = None

    def __enter__(self) -> Keeper:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._thread is not None:
            self._thread.shutdown(wait=True)
        if error is None:
            self._wait()

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
        self._wait()
        start = self._part.start
        rows, latents = range(start, start + self._filled), self._latents[: self._filled]
        self._filled = 0
        if self._thread is None:
            self._write(rows, latents)
        else:
            self._writing = self._thread.submit(self._write, rows, latents)

    def _write(self, rows: range, latents: np.ndarray) -> None:
        began = time.perf_counter()
        self._writer.add(rows, latents)
        self._timings.write += time.perf_counter() - began

    def _wait(self) -> None:
        """Wait for the part that is being written; its error, if any, is raised."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            writing.result()
