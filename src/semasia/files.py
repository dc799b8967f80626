"""Whole files or none: write beside the target, sync, rename into place."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from semasia.errors import StorageError

_CHUNK = 1 << 20
# Of Linux's sync_file_range(2).
_SYNC_FILE_RANGE_WRITE = 2


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``target`` that becomes ``target`` if the block succeeds.

    The temporary file is synced to disk before the rename, and the folder after it, so that a file
    under its final name is complete even after a power cut. On any error it is removed.

    Raises
    ------
    StorageError
        If the file cannot be written (no space, no permission).
    """
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:12]}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        sync(temporary)
        temporary.replace(target)
        sync(target.parent)
    except OSError as error:
        raise StorageError(
            f"{target}: could not be written ({error.strerror or error}). Nothing half-written was "
            f"left under that name; free space or mend permissions in {target.parent}, run again."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Flush a file or a folder to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hex digits, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
