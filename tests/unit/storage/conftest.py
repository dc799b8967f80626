"""File systems that lack something: by injected answers of the system, and a real exFAT."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

Weaken = Callable[[str], None]

# What a file system lacks, and what the call for it answers there.
LACKING = {
    "links": ("link", (errno.EPERM, errno.EOPNOTSUPP, errno.EXDEV, errno.EMLINK)),
    "symbolic links": ("symlink", (errno.EPERM,)),
    "folder sync": ("sync", (errno.EINVAL, errno.ENOTSUP, errno.EBADF)),
    "locks": ("flock", (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)),
    "mapping": ("map", (errno.ENODEV, errno.EINVAL)),
    "modes": ("chmod", (errno.EPERM,)),
    "times": ("utime", (errno.EPERM,)),
    "renaming over a file": ("replace", (errno.EEXIST, errno.EACCES, errno.EPERM)),
    "unlinking of what is open": ("unlink", (errno.EBUSY,)),
}
WEAK = [f"no {what}: {errno.errorcode[code]}" for what, (_, cs) in LACKING.items() for code in cs]


@pytest.fixture
def weaken(monkeypatch: pytest.MonkeyPatch) -> Weaken:
    """Make every file system lack what one of :data:`WEAK` names."""

    def weaken(weak: str) -> None:
        what, _, name = weak.removeprefix("no ").partition(": ")
        kind = LACKING[what][0]
        code = getattr(errno, name)

        def refuse(*_: Any, **__: Any) -> Any:
            raise OSError(code, os.strerror(code))

        def only(real: Callable[..., Any], refused: Callable[..., bool]) -> Callable[..., Any]:
            def call(*given: Any, **named: Any) -> Any:
                return refuse() if refused(*given, **named) else real(*given, **named)

            return call

        if kind in ("link", "symlink", "chmod", "utime"):
            monkeypatch.setattr(os, kind, refuse)
        elif kind == "sync":
            is_folder = lambda handle: stat.S_ISDIR(os.fstat(handle).st_mode)  # noqa: E731
            monkeypatch.setattr(os, "fsync", only(os.fsync, is_folder))
        elif kind == "flock":
            monkeypatch.setattr(fcntl, "flock", refuse)
            monkeypatch.setattr(fcntl, "lockf", refuse)
        elif kind == "map":
            monkeypatch.setattr(pa, "memory_map", refuse)
        elif kind == "replace":
            there = lambda path, target: Path(target).exists()  # noqa: E731
            monkeypatch.setattr(os, "replace", only(os.replace, there))
        else:
            is_lock = lambda path, **_: str(path).endswith(".lock")  # noqa: E731
            monkeypatch.setattr(os, "unlink", only(os.unlink, is_lock))

    return weaken


@pytest.fixture(scope="session")
def exfat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Mount a real exFAT: no links of either kind, times of two seconds, no case; or skip."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("mkfs.exfat", "mount.exfat-fuse"))):
        pytest.skip("mounting an exFAT needs root, exfatprogs and exfat-fuse")
    folder = tmp_path_factory.mktemp("exfat")
    image, mounted = folder / "image", folder / "mounted"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(64 << 20)

    def ran(*command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    ran("mkfs.exfat", image)
    loop = ran("losetup", "-f", "--show", image).stdout.strip()
    if not loop or ran("mount.exfat-fuse", loop, mounted).returncode != 0 or not mounted.is_mount():
        if loop:
            ran("losetup", "-d", loop)
        pytest.skip("this machine mounts no image")
    try:
        yield mounted
    finally:
        ran("umount", mounted)
        ran("losetup", "-d", loop)
