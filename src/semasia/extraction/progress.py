"""Tell a person at a terminal how far an extraction, and the run it belongs to, has come."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from semasia.extraction.timings import Timings


class Progress:
    """Prints a line every few seconds: rows, images per second, time left.

    Parameters
    ----------
    label : str
        What is being extracted.
    run : Path, optional
        Folder written by :func:`begin_run`; with it each line also tells the whole run's state.
    interval : float
        Seconds between two lines.
    """

    def __init__(self, label: str, run: Path | None = None, interval: float = 10.0) -> None:
        self._label = label
        self._run = run
        self._interval = interval
        self._began = self._told = time.monotonic()
        self._fresh = 0
        self._unsaved = 0
        self._first = True

    def __call__(self, done: int, total: int, fresh: int, timings: Timings | None = None) -> None:
        """Note that ``done`` of ``total`` rows are there, ``fresh`` of them since the last call."""
        if self._first:
            # Rows that an earlier run left: they count as done, not as speed.
            self._unsaved += done - fresh
            self._first = False
        self._fresh += fresh
        self._unsaved += fresh
        now = time.monotonic()
        if now - self._told < self._interval and done < total:
            return
        self._told = now
        rate = self._fresh / max(now - self._began, 1e-9)
        line = f"{self._label}: {done:,}/{total:,} rows, {rate:.0f} images/s"
        if done < total:
            line += f", {_clock((total - done) / max(rate, 1e-9))} left"
        if timings is not None:
            kinds = ("load", "preprocess", "forward", "write")
            line += "; " + ", ".join(f"{k} {100 * timings.share(k):.0f} %" for k in kinds)
        print(f"{line}{self._whole_run()}", file=sys.stderr, flush=True)

    def _whole_run(self) -> str:
        if self._run is None:
            return ""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, OverflowError):
            plan = json.loads((self._run / "plan.json").read_text(encoding="utf-8"))
            # One short append is atomic on local file systems, so that parallel jobs can share it.
            with (self._run / "images").open("a", encoding="ascii") as file:
                file.write(f"{self._unsaved}\n")
            self._unsaved = 0
            counted = sum(map(int, (self._run / "images").read_text(encoding="ascii").split()))
            seconds = max(time.time() - plan["began"], 1e-9)
            left = max(plan["images"] - counted, 0) * seconds / max(counted, 1)
            state = f"{_clock(left)} of extraction left" if left else "extraction done"
            return f" | run: {counted:,}/{plan['images']:,} images, {state}"
        return ""


def begin_run(folder: Path, images: int) -> None:
    """Note that a run over ``images`` images begins now; called once, before any job."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "images").write_text("", encoding="ascii")
    plan = {"images": images, "began": time.time(), "pid": os.getpid()}
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
