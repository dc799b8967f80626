"""Whole files or none: write beside the target, sync, rename into place."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import glob
import hashlib
import json
import os
import re
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from semasia.errors import DamagedFileError, SemasiaError, StorageError, first_line
from semasia.filesystems import rename, sync

# What to do about a file that a rule wrote. Snakemake deleted what the failed job was to write, so
# that with this file gone both are made again.
AGAIN = "Delete it and run again."
_CHUNK = 1 << 20
# Of Linux's sync_file_range(2).
_SYNC_FILE_RANGE_WRITE = 2
# Names are at most 255 bytes, on eCryptfs 143: a temporary one adds 18 to so many of its target's.
_NAME_BYTES = 120
# How libraries that are not written in Python tell an error of the system: polars, pyarrow, torch.
_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)|\[errno (\d+)\]", re.IGNORECASE)
_OF_WRITING = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG, errno.EACCES, errno.EPERM}
)


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``target`` that becomes ``target`` if the block succeeds.

    The temporary file is synced to disk before the rename, and the folder after it, so that a file
    under its final name is complete even after a power cut. On any error it is removed, and what
    stood under the final name before stays.

    Raises
    ------
    StorageError
        If the file cannot be written (no space, no permission), whatever exception the library
        that writes it has for that.
    """
    temporary = _beside(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        sync(temporary)
        rename(temporary, target, _beside(target))
        sync(target.parent)
    except SemasiaError:
        raise
    except Exception as error:
        reason = _system_error(error)
        if reason is None:
            raise
        other = getattr(error, "filename", None)
        if other is not None and target.parent not in (Path(other), Path(other).parent):
            reason = f"{other}: {reason}"
        raise StorageError(
            f"{target}: could not be written ({reason}). Nothing half-written was "
            f"left under that name; free space or mend permissions in {target.parent}, run again."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def leftovers_of(target: Path) -> list[Path]:
    """Return the temporary files that killed processes left of a target."""
    return [*target.parent.glob(f".{glob.escape(_cut(target.name))}.{'?' * 12}.tmp")]


def begin_to_sync(path: Path) -> None:
    """Let the system begin to write to disk what it holds of a file, and go on at once.

    So that :func:`sync` finds little left to do. Does nothing where there is no such call.
    """
    with contextlib.suppress(OSError, AttributeError):
        handle = os.open(path, os.O_RDONLY)
        try:
            whole = ctypes.c_int64(0), ctypes.c_int64(0)
            ctypes.CDLL(None).sync_file_range(handle, *whole, _SYNC_FILE_RANGE_WRITE)
        finally:
            os.close(handle)


def content_of(path: str | Path, advice: str = AGAIN) -> bytes:
    """Return the bytes of a file that a rule wrote.

    Raises
    ------
    DamagedFileError
        If it is not there or cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        advice = "Run again." if advice == AGAIN else advice
        raise DamagedFileError(f"{path}: there is no such file. {advice}") from error
    except OSError as error:
        raise DamagedFileError(
            f"{path}: cannot be read ({error.strerror or first_line(error)}). {advice}"
        ) from error


def read_record(path: str | Path, keys: Iterable[str] = (), advice: str = AGAIN) -> dict[str, Any]:
    """Return the JSON object that a rule wrote.

    Parameters
    ----------
    path : path
    keys : iterable of str
        That it must have.
    advice : str
        What a user is to do about a file that cannot be used.

    Raises
    ------
    DamagedFileError
        If it is not there, is damaged, or lacks a key.
    """
    content = content_of(path, advice)
    try:
        record = json.loads(content)
    except (ValueError, RecursionError) as error:
        found = f"{len(content):,} bytes: {first_line(error)}" if content else "an empty file"
        raise DamagedFileError(f"{path}: is no whole JSON record ({found}). {advice}") from error
    if not isinstance(record, dict):
        raise DamagedFileError(f"{path}: holds {type(record).__name__}, no record. {advice}")
    if missing := [key for key in keys if key not in record]:
        raise DamagedFileError(f"{path}: has no {missing[0]!r}. {advice}")
    return record


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hex digits, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _beside(target: Path) -> Path:
    """Return a new hidden name beside a target, that :func:`leftovers_of` finds."""
    return target.with_name(f".{_cut(target.name)}.{uuid.uuid4().hex[:12]}.tmp")


def _cut(name: str) -> str:
    return os.fsencode(name)[:_NAME_BYTES].decode(errors="ignore")


def _system_error(error: Exception) -> str | None:
    """Return what the system answered, None of an error that is not the system's."""
    if isinstance(error, OSError):
        return error.strerror or first_line(error)
    found = _SYSTEM_ERROR.search(str(error))
    code = int(found[1] or found[2]) if found else 0
    return os.strerror(code) if code in _OF_WRITING else None
