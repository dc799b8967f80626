"""What local files hold, as one digest that is worked out anew only where a file has changed.

A path says nothing of what lies there: weights are trained anew and images replaced under one
name. What is made of local files is therefore kept under the digest of their bytes. Reading them
at every start of a workflow would be slow, so a record keeps the digest together with the files'
*state*: name, size, time of the last change of content, time of the last change of anything, and
inode. The third of these is set by the system at every change and by no program, so that a file
whose size and modification time were put back is read again all the same.

A file system's clock may tick as slowly as once in two seconds, and a second change within a tick
leaves no trace. A record is therefore trusted only where every file had been at rest for longer
than that when its reading began.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from semasia.errors import SemasiaError, SourceError, StorageError, first_line
from semasia.files import sha256_of_file, whole_file

# Longer than the slowest clock of a file system in use ticks (two seconds: FAT, exFAT).
_AT_REST_NS = 3_000_000_000
_READERS = 4
_PART = 4096
# Reading more is told, as it delays the start of a run.
_TOLD_BYTES = 2 << 30


def split_record(results: str | Path, benchmark: str, split: str) -> Path:
    """Return where the digest of a split's local files is kept."""
    return Path(results, "cache", "content", "splits", benchmark, f"{split}.json")


def weights_record(results: str | Path, model: str) -> Path:
    """Return where the digest of a model's local weights is kept."""
    return Path(results, "cache", "content", "weights", f"{model}.json")


def content_digest(
    files: Mapping[str, Path],
    record: Path | None = None,
    *,
    also: str = "",
    what: str = "files",
) -> str:
    """Return the SHA-256 over names and contents of files, as 64 hex digits.

    Parameters
    ----------
    files : mapping of Path
        By the name that counts, which holds no folder of this machine. Links are followed.
    record : Path, optional
        JSON file that keeps the digest; files that are as it says are not read again. Written
        where it can be.
    also : str
        What else counts, whatever the files hold.
    what : str
        What the files are, for a message on standard error before a long reading.

    Raises
    ------
    OSError
        If a file is not there or cannot be read.
    SourceError
        If a file changes while it is read.
    """
    began = time.time_ns()
    state, size, newest = _state_of(files, also)
    if record and (known := _recorded(record, state)):
        return known
    if size >= _TOLD_BYTES:
        print(
            f"Reading {size / 1e9:,.0f} GB of {what}, to know what is in them; not read again "
            "while they stay as they are.",
            file=sys.stderr,
            flush=True,
        )
    whole = hashlib.sha256(also.encode())
    names = list(files)
    with ThreadPoolExecutor(_READERS) as pool:
        # In parts: a pool takes all it is given at once, and a folder may hold millions of images.
        for start in range(0, len(names), _PART):
            part = names[start : start + _PART]
            digests = pool.map(sha256_of_file, (files[name] for name in part))
            for name, digest in zip(part, digests, strict=True):
                whole.update(json.dumps([name, digest]).encode())
    if _state_of(files, also)[0] != state:
        raise SourceError(f"{what} changed while they were read; run again when they are at rest.")
    if record:
        # What may not be trusted later is kept all the same: for when the files are gone.
        trusted = state if newest < began - _AT_REST_NS else None
        with contextlib.suppress(StorageError), whole_file(record) as temporary:
            content = {"state": trusted, "sha256": whole.hexdigest()}
            temporary.write_text(json.dumps(content) + "\n", encoding="utf-8")
    return whole.hexdigest()


def last_content(record: Path) -> str | None:
    """Return what was last told of files, whatever has become of them; None without a record."""
    try:
        return json.loads(record.read_text(encoding="utf-8"))["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def content_or_last(find: Callable[[], str | None], root: Path, record: Path) -> str | None:
    """Return what decides whether something made of local files is out of date.

    Parameters
    ----------
    find : callable
        Gives what :func:`content_digest` does.
    root : Path
        Where the files lie.
    record : Path
        As of :func:`content_digest`.

    Returns
    -------
    str or None
        The digest of the files. Where ``root`` is gone, the digest last known: what was made of
        the files is as good as before. Where the files cannot be read, what is said of them, so
        that the job which needs them runs and tells.
    """
    if not root.exists():
        return last_content(record)
    try:
        return find()
    except (OSError, SemasiaError) as error:
        return f"unreadable: {first_line(error)}"


def _recorded(record: Path, state: str) -> str | None:
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
        return content["sha256"] if content["state"] == state else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _state_of(files: Mapping[str, Path], also: str) -> tuple[str, int, int]:
    """Return a digest of the files' states, their size together, and the last change of any."""
    digest = hashlib.sha256(also.encode())
    size = newest = 0
    for name, path in files.items():
        found = path.stat()
        times = found.st_mtime_ns, found.st_ctime_ns
        digest.update(json.dumps([name, found.st_size, *times, found.st_ino]).encode())
        size += found.st_size
        # Not the time of the content's change, which any program may set to any day.
        newest = max(newest, found.st_ctime_ns)
    return digest.hexdigest(), size, newest
