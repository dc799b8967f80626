"""What lies hidden beside a shard while it is made, named for those that write and that look."""

from __future__ import annotations

from pathlib import Path


def lock_of(shard: Path) -> Path:
    """Return the file that the one process at work on a shard holds."""
    return shard.with_name(f".{shard.stem}.lock")


def parts_of(shard: Path) -> Path:
    """Return the folder of the rows finished so far."""
    return shard.with_name(f".{shard.stem}.parts")


def ahead_of(shard: Path) -> Path:
    """Return the folder of the shard itself, where it was made before its job's turn."""
    return shard.with_name(f".{shard.stem}.made")
