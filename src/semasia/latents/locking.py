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

# Tries whose lock was on a file that was gone: each needs a holder that ended in that very moment.
_VAIN = 100


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
            # Some file systems keep what is open; what stays is no lock.
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            os.close(handle)


def _acquired(path: Path, wait: float, waiting: Callable[[], None] | None) -> int | None:
    told, vain = False, 0
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
            with contextlib.suppress(OSError):
                path.unlink()
            _logger.warning(
                "%s: this file system has no locks (%s); two jobs on one shard would both make it",
                path,
                error.strerror,
            )
            return None
        else:
            # Where a file has another number each time it is looked at, it is never the same.
            if _is_same(handle, path) or vain == _VAIN:
                return handle
            os.close(handle)
            vain += 1


def _is_same(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False
