"""Stop at the end of a batch when asked to, so that nothing that was computed is lost."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from semasia.errors import StoppedError


class Stop:
    """Whether the process was asked to end."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def check(self) -> None:
        """Raise :class:`~semasia.errors.StoppedError` if the process was asked to end."""
        if self.signal is not None:
            raise StoppedError(self.signal)


@contextlib.contextmanager
def stop_on_sigterm() -> Iterator[Stop]:
    """Note SIGTERM instead of dying of it, while the block runs; only in the main thread.

    Schedulers send it some time before they kill: ``scancel``, a time limit, a node's shutdown.
    """
    stop = Stop()

    def note(number: int, frame: FrameType | None) -> None:
        stop.signal = number

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGTERM, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
