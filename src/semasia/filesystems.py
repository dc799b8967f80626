"""What file systems differ in, each done the way that the one at hand allows.

BeeGFS, CIFS, exFAT, 9p and many FUSE file systems lack some of what POSIX has: hard links, syncing
a folder, mapping a file into memory, renaming over a file. What such a call is for is done another
way, or left out where it only guards against a power cut. An error of the disk stays an error.
"""

from __future__ import annotations

import contextlib
import errno
import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

# What a system call that a file system does not have, or not for this kind of file, answers.
NOT_THERE = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY})
# Opened without leave to write; or, as CIFS says of a folder, of no kind that can be synced.
_NOT_SO = frozenset({errno.EBADF, errno.EACCES, errno.EPERM, errno.EISDIR, errno.EROFS})
# A rename that is refused because its target is there, or is open somewhere.
_IN_THE_WAY = NOT_THERE | {errno.EEXIST, errno.EACCES, errno.EPERM, errno.EBUSY, errno.ETXTBSY}
# A file system or an address space in which a file cannot be mapped.
_UNMAPPED = NOT_THERE | {errno.ENODEV, errno.EACCES, errno.EPERM, errno.ENOMEM, errno.EAGAIN}


def sync(path: Path) -> None:
    """Flush a file or a folder to disk, where its file system has that.

    Raises
    ------
    OSError
        Of the disk: what was written may be lost. Never because there is no such call.
    """
    is_folder = path.is_dir()
    # Some file systems flush only through a handle that may write; a folder has none.
    for flags in (os.O_RDONLY,) if is_folder else (os.O_RDWR, os.O_RDONLY):
        try:
            handle = os.open(path, flags)
        except OSError as error:
            if error.errno in NOT_THERE | _NOT_SO:
                continue
            raise
        try:
            os.fsync(handle)
        except OSError as error:
            if error.errno not in NOT_THERE | _NOT_SO:
                raise
        else:
            return
        finally:
            os.close(handle)


def rename(path: Path, target: Path, aside: Path) -> None:
    """Rename a file over another, at once where the file system can.

    Elsewhere the old file steps aside first, and comes back if the new one cannot take its place.
    """
    try:
        path.replace(target)
    except OSError as error:
        if error.errno not in _IN_THE_WAY or not target.is_file():
            raise
        try:
            target.rename(aside)
        except OSError:
            raise error from None
        try:
            path.rename(target)
        except OSError:
            aside.rename(target)
            raise
        with contextlib.suppress(OSError):
            aside.unlink()


def link_or_move(path: Path, target: Path) -> None:
    """Give a file a second name, or only that one where the file system has no hard links."""
    try:
        os.link(path, target)
    except OSError:
        # Whatever it was: a disk that fails says so again.
        path.replace(target)


def mapped(path: Path) -> pa.NativeFile:
    """Open a file mapped into memory, or plainly where it cannot be mapped.

    Raises
    ------
    OSError, pyarrow.ArrowInvalid
        If it cannot be opened, or is empty.
    """
    import pyarrow as pa

    try:
        return pa.memory_map(str(path))
    except OSError as error:
        if error.errno in _UNMAPPED and os.access(path, os.R_OK):
            return pa.OSFile(str(path))
        raise


def tells_case_apart(folder: Path) -> bool:
    """Whether two names that differ in case only are two files there, found by trying.

    ``folder`` or the nearest folder above it that is there; True where nothing can be written.
    """
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    name = f".case-{uuid.uuid4().hex[:12]}-a.tmp"
    try:
        (folder / name).touch()
        try:
            return not (folder / name.upper()).exists()
        finally:
            (folder / name).unlink(missing_ok=True)
    except OSError:
        return True
