"""Which shards lie under a path, in any of the three layouts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from semasia.audit.finding import Finding, Layout
from semasia.filesystems import mapped
from semasia.latents.schema import PROVENANCE_KEY

PART = re.compile(r"part-(\d+)\.parquet")

# What a file below a folder of that name is: a shard, or another thing that a results tree holds.
_SHARDS = frozenset({"latents", "data"})
_OTHER = frozenset(
    {
        "benchmarks",
        "figures",
        "geometry",
        "graphs",
        "inputs",
        "logs",
        "pages",
        "probes",
        "registry",
        "tables",
    }
    | {"timings"}
)


class Place(NamedTuple):
    """What a shard's path says; benchmark is None where it does not."""

    benchmark: str | None
    model: str
    split: str


@dataclass(frozen=True)
class Found:
    """A shard to check.

    Attributes
    ----------
    path : Path
        The file, or the folder of the parts.
    files : tuple of Path
        The file, or the parts in order.
    layout : {"semasia", "released"}
    place : Place or None
        None where the path says nothing.
    astray : bool
        Whether it lies among shards, but not where a shard lies.
    """

    path: Path
    files: tuple[Path, ...]
    layout: Layout
    place: Place | None
    astray: bool = False

    @property
    def bytes(self) -> int:
        """Size on disk, 0 where it cannot be had."""
        try:
            return sum(f.stat().st_size for f in self.files)
        except OSError:
            return 0


def find_shards(paths: Iterable[Path]) -> tuple[list[Found], list[Finding]]:
    """Return the shards under some paths, each once, and what could not be looked at.

    A file counts as a shard whatever it holds. In a folder a Parquet file counts that carries
    Semasia's provenance, that lies where a shard lies (``latents/{benchmark}/{model}/{split}``,
    ``data/{model}/{split}``, ``{split}/{model}/part-*``), or below ``latents/`` or ``data/``.
    Hidden files and folders, such as the parts of unfinished shards, are left alone.

    Parameters
    ----------
    paths : iterable of Path
        Shards or folders.

    Returns
    -------
    list of Found
        In order of path, for each path given.
    list of Finding
        Paths without any shard, and folders that cannot be listed.
    """
    shards: dict[Path, Found] = {}
    problems: list[Finding] = []
    for root in paths:
        before = len(problems)
        try:
            found = list(_under(root, problems)) if root.is_dir() else _file(root)
            missing = "no shard lies here" if root.exists() else "there is no such file or folder"
        except OSError as error:
            found, missing = [], f"cannot be looked at ({error.strerror})"
        if not found and len(problems) == before:
            problems.append(Finding(root, "file", f"{missing}."))
        for shard in found:
            shards.setdefault(shard.path.absolute(), shard)
    return list(shards.values()), problems


def place_of(path: Path) -> Place | None:
    """Return what the path of one shard file says, None if it does not lie where a shard lies."""
    *folders, name = path.absolute().parts
    if not name.endswith(".parquet") or len(folders) < 3:
        return None
    split = name.removesuffix(".parquet")
    if folders[-3] == "latents":
        return Place(folders[-2], folders[-1], split)
    if folders[-2] == "data" and len(folders) > 3:
        return Place(_benchmark_of(folders[:-2]), folders[-1], split)
    return None


def _file(path: Path) -> list[Found]:
    if not path.exists() and not path.is_symlink():
        return []
    if PART.fullmatch(path.name) and not _has_provenance(path):
        return [_of_parts(path.parent)]
    return [Found(path, (path,), "semasia", place_of(path))]


def _under(root: Path, problems: list[Finding]) -> Iterator[Found]:
    parts: set[Path] = set()
    for path in _walk(root, problems):
        among = _among_shards(path, root)
        place = None if among is False else place_of(path)
        part = PART.fullmatch(path.name)
        # Only where the path leaves it open is a footer read: a collection has many thousands.
        if ((among or place) and not part) or _has_provenance(path):
            yield Found(path, (path,), "semasia", place, astray=bool(among and place is None))
        elif part and among is not False and path.parent not in parts:
            parts.add(path.parent)
            yield _of_parts(path.parent)


def _walk(root: Path, problems: list[Finding]) -> Iterator[Path]:
    """Yield everything called ``*.parquet`` below a folder, in order; links are followed once."""

    def refuse(error: OSError) -> None:
        where = Path(error.filename or root)
        problems.append(Finding(where, "file", f"cannot be listed ({error.strerror})."))

    seen: set[Path] = set()
    for folder, folders, files in os.walk(root, onerror=refuse, followlinks=True):
        real = Path(folder).resolve()
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted([*files, *folders]):
            if name.endswith(".parquet") and not name.startswith("."):
                yield Path(folder, name)


def _among_shards(path: Path, root: Path) -> bool | None:
    """Whether the nearest telling folder, from ``root`` down, holds shards; None if none tells."""
    start = len(root.absolute().parts) - 1
    for folder in reversed(path.absolute().parent.parts[start:]):
        if folder in _OTHER:
            return False
        if folder in _SHARDS:
            return True
    return None


def _has_provenance(path: Path) -> bool:
    try:
        return PROVENANCE_KEY in (pq.read_metadata(mapped(path)).metadata or {})
    except (OSError, ValueError, LookupError, pa.ArrowException):
        return False


def _of_parts(folder: Path) -> Found:
    files = [p for p in folder.iterdir() if PART.fullmatch(p.name)]
    files.sort(key=lambda p: int(p.name[5:-8]))
    *above, split, model = folder.absolute().parts
    if above and above[-1] == "data":
        above.pop()
    return Found(folder, tuple(files), "released", Place(_benchmark_of(above), model, split))


def _benchmark_of(repository: list[str]) -> str | None:
    """Return the benchmark that a repository's folder is named after, None if it is not.

    ``semasia-{benchmark}``, and the cache of the Hub's client:
    ``datasets--{owner}--semasia-{benchmark}/snapshots/{commit}``.
    """
    name = repository[-1] if repository else ""
    if len(repository) > 2 and repository[-2] == "snapshots":
        name = repository[-3].rpartition("--")[2]
    return name.removeprefix("semasia-") if name.startswith("semasia-") else None
