"""One process at a time on one shard."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from semasia.beside import lock_of
from semasia.errors import StorageError

_logger = logging.getLogger(__name__)


@contextlib.contextmanager
def only_writer(
    shard: Path, *, wait: float = 1.0, waiting: Callable[[], None] | None = None
) -> Iterator[bool]:
    """Hold the lock of a shard, waiting for whoever holds it; yields whether it is held.

    The lock ends with its process, however that ends. On a file system without locks the block
    runs all the same: two writers then do the work twice, and neither's result is damaged.

    Parameters
    ----------
    shard : Path
    wait : float
        Seconds between two tries.
    waiting : callable, optional
        Called after every vain try; what it raises ends the wait.

    Raises
    ------
    StorageError
        If the lock file cannot be made.
    """
    path = lock_of(shard)
    handle = _acquired(path, wait, waiting)
    try:
        yield handle is not None
    finally:
        if handle is not None:
            # Removed while held: whoever waits on this file sees that it is gone, and makes anew.
            path.unlink(missing_ok=True)
            os.close(handle)


def _acquired(path: Path, wait: float, waiting: Callable[[], None] | None) -> int | None:
    told = False
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise StorageError(
                f"{path}: could not be made ({error.strerror or error}). Free space or mend "
                f"permissions in {path.parent}, run again."
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_same(handle, path):
                return handle
            os.close(handle)
        except BlockingIOError:
            os.close(handle)
            if not told:
                _logger.warning("%s: another process is at work on this shard; waiting", path)
                told = True
            if waiting:
                waiting()
            time.sleep(wait)
        except OSError as error:
            os.close(handle)
            _logger.warning("%s: this file system has no locks (%s)", path, error.strerror)
            return None


def _is_same(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
