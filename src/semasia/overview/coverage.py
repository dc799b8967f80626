"""Coverage: of every target whether it is done, failed, running, begun or not started."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from semasia.beside import ahead_of, lock_of, parts_of
from semasia.config.collection import Collection, Target

if TYPE_CHECKING:
    import polars as pl

STATES = ("done", "running", "failed", "begun", "not started")

COLUMNS: dict[str, type] = {
    "benchmark": str,
    "split": str,
    "model_name": str,
    "rows": int,
    "rows_kept": int,
    "state": str,
    "error": str,
    "reason": str,
    "log": str,
}
_PART = re.compile(r"rows-(\d{9})-(\d{9})\.")


@dataclass(frozen=True)
class State:
    """One target's state.

    Attributes
    ----------
    target : Target
    rows : int
        Of the shard.
    rows_kept : int
        Finished: all of a shard's, or those in parts of an unfinished one.
    state : str
        ``done``: the shard is there. ``running``: a process holds its lock. ``failed``: the last
        try ended with an error. ``begun``: parts are there, and nobody works on them. Else ``not
        started``.
    error, reason, log : str or None
        Of a failed one: the error's kind, its first line, the log's path.
    """

    target: Target
    rows: int
    rows_kept: int
    state: str
    error: str | None = None
    reason: str | None = None
    log: str | None = None


def states_of(collection: Collection, results: Path) -> Iterator[State]:
    """Yield the state of every target of a collection.

    Folders are listed once per model and benchmark, so that tens of thousands of targets take
    seconds on a shared file system too.
    """
    for benchmark in collection.benchmarks:
        splits = collection.splits(benchmark)
        for model in collection.models:
            folder = results / "latents" / benchmark / model
            names = _names(folder)
            failures = _names(results / "failures" / benchmark / model)
            for split in splits:
                target = Target(benchmark, model, split)
                rows = collection.rows(benchmark, split)
                shard = folder / f"{split}.parquet"
                if shard.name in names:
                    yield State(target, rows, rows, "done")
                    continue
                ahead, parts, lock = ahead_of(shard), parts_of(shard), lock_of(shard)
                made = ahead.name in names and _is_made_ahead(ahead)
                kept = rows if made else _rows_in_parts(parts, parts.name in names)
                if lock.name in names and _is_held(lock):
                    yield State(target, rows, kept, "running")
                elif f"{split}.json" in failures:
                    record = _record(results / "failures" / benchmark / model / f"{split}.json")
                    yield State(target, rows, kept, "failed", *record)
                else:
                    yield State(target, rows, kept, "begun" if kept else "not started")


def missing_shards(collection: Collection) -> Iterator[str]:
    """Yield the path of every shard that is not there, as the workflow names it, in its order.

    Nothing but the names in each model's folder is looked at: a shard that is there and out of date
    is not told.
    """
    results = collection.config.results
    for benchmark in collection.benchmarks:
        splits = collection.splits(benchmark)
        for model in collection.models:
            folder = f"{results}/latents/{benchmark}/{model}"
            names = _names(Path(folder))
            yield from (f"{folder}/{s}.parquet" for s in splits if f"{s}.parquet" not in names)


def coverage_frame(states: Iterable[State]) -> pl.DataFrame:
    """Return states as the table ``coverage``, one row per target."""
    from semasia.tables import frame_of

    rows = [
        {
            "benchmark": s.target.benchmark,
            "split": s.target.split,
            "model_name": s.target.model,
            "rows": s.rows,
            "rows_kept": s.rows_kept,
            "state": s.state,
            "error": s.error,
            "reason": s.reason,
            "log": s.log,
        }
        for s in states
    ]
    return frame_of(rows, COLUMNS)


def coverage_counts(states: Iterable[State]) -> pl.DataFrame:
    """Return the number of targets in each state, one row per benchmark and split."""
    import polars as pl

    frame = coverage_frame(states)
    counts = [(pl.col("state") == state).sum().alias(state) for state in STATES]
    kept = pl.col("rows_kept").sum(), pl.col("rows").sum()
    return frame.group_by("benchmark", "split", maintain_order=True).agg(*counts, *kept)


def coverage_lines(states: list[State], *, failures: int = 20) -> Iterator[str]:
    """Yield the lines of ``semasia status``: counts per split, then what failed and why."""
    head = ("benchmark/split", *STATES, "rows kept")
    lines: list[tuple[str, ...]] = [head]
    groups: dict[str, list[State]] = {}
    for state in states:
        groups.setdefault(f"{state.target.benchmark}/{state.target.split}", []).append(state)
    groups["all"] = states
    for name, members in groups.items():
        counts = Counter(s.state for s in members)
        kept, rows = sum(s.rows_kept for s in members), sum(s.rows for s in members)
        share = f"{_percent(kept, rows)} of {rows:,}"
        lines.append((name, *(f"{counts[s]:,}" for s in STATES), share))
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        first = line[0].ljust(widths[0])
        yield "  ".join([first, *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))])
    failed = [s for s in states if s.state == "failed"]
    if failed:
        yield ""
        yield f"{len(failed):,} failed:"
    for state in failed[:failures]:
        target = "/".join((state.target.benchmark, state.target.split, state.target.model))
        yield f"  {target}: {state.error}: {state.reason}"
        yield f"    log: {state.log}"
    if len(failed) > failures:
        yield f"  … and {len(failed) - failures:,} more: see results/tables/coverage.csv"


def _names(folder: Path) -> set[str]:
    try:
        return {entry.name for entry in os.scandir(folder)}
    except OSError:
        return set()


def _rows_in_parts(folder: Path, there: bool) -> int:
    """Return the most rows that parts of one key hold."""
    if not there:
        return 0
    kept = [0]
    for key in _names(folder):
        matches = (_PART.match(name) for name in _names(folder / key))
        kept.append(sum(int(m[2]) - int(m[1]) for m in matches if m))
    return max(kept)


def _is_made_ahead(folder: Path) -> bool:
    return any(name.endswith(".json") for name in _names(folder))


def _is_held(lock: Path) -> bool:
    try:
        handle = os.open(lock, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False


def _record(path: Path) -> tuple[str, str, str]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return str(content["error"]), str(content["message"]), str(content["log"])
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown", f"{path} cannot be read", ""


def _percent(part: int, whole: int) -> str:
    # Never rounded up to all of it.
    share = 100 * part / whole if whole else 100.0
    return f"{min(share, 99.9) if part < whole else share:.1f} %"
