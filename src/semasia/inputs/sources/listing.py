"""What lies in a folder of images: files by extension, links followed, what is no data left out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import normalize

from semasia.errors import SourceError, printable

# Folders that operating systems, archives and network stores leave beside data. Names that begin
# with a dot (`.git`, `.ipynb_checkpoints`, `._1.png` of a Mac) are left out without being listed.
_TOLD = 6
METADATA = frozenset(
    {
        "__MACOSX",
        "__pycache__",
        "@eaDir",
        "@Recycle",
        "#recycle",
        "#snapshot",
        "$RECYCLE.BIN",
        "System Volume Information",
        "lost+found",
    }
)


@dataclass(frozen=True)
class Listing:
    """The files of a folder that are data.

    Attributes
    ----------
    root : Path
    paths : list of Path
        Sorted by their path below the root, composed as Unicode's form C.
    skipped : Counter
        How many files and folders were left out, by why.
    """

    root: Path
    paths: list[Path] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    def told(self) -> str:
        """Return what was left out in words, ``""`` if nothing was."""
        most = self.skipped.most_common(_TOLD)
        more = len(self.skipped) - len(most)
        told = [f"{n:,} {why}" for why, n in most]
        return ", ".join(told + ([f"and {more:,} kinds more"] if more else []))


def is_metadata(name: str) -> bool:
    """Whether a file or folder of this name is none of a dataset's."""
    return name.startswith(".") or name in METADATA


def list_files(root: Path, extensions: Collection[str]) -> Listing:
    """List the files below a folder that have one of some extensions, in lower case.

    Links to files and folders are followed; a folder that is reached by two ways is listed twice.

    Raises
    ------
    SourceError
        If a folder cannot be read, a link leads back to a folder above it, or a link that has one
        of the extensions leads nowhere.
    """
    listing = Listing(root)
    _walk(root, frozenset(extensions), listing, ())
    listing.paths.sort(key=lambda p: normalize("NFC", p.relative_to(root).as_posix()))
    return listing


def subfolders(root: Path) -> list[Path]:
    """Return the folders in a folder, links followed, without those that are no data.

    Raises
    ------
    SourceError
        If the folder cannot be read, or two names differ in their Unicode spelling alone.
    """
    found: dict[str, Path] = {}
    for entry in _entries(root):
        if is_metadata(entry.name) or not _is_dir(entry):
            continue
        path = Path(entry.path)
        other = found.setdefault(normalize("NFC", entry.name), path)
        if other != path:
            raise SourceError(
                f"{printable(other)} and {printable(path)}: two folders of one name, spelled "
                "differently in Unicode (composed and decomposed). Put their files together."
            )
    return [found[name] for name in sorted(found)]


def _walk(
    folder: Path, extensions: frozenset[str], listing: Listing, above: tuple[tuple[int, int], ...]
) -> None:
    known = folder.stat()
    here = (known.st_dev, known.st_ino)
    if here in above:
        raise SourceError(
            f"{printable(folder)}: is a link to a folder above it; a walk through it has no end."
        )
    for entry in _entries(folder):
        path = Path(entry.path)
        if is_metadata(entry.name):
            listing.skipped["hidden or metadata"] += 1
        elif _is_dir(entry):
            _walk(path, extensions, listing, (*above, here))
        elif path.suffix.lower() not in extensions:
            listing.skipped[f"of extension {path.suffix or 'none'}"] += 1
        elif not path.exists():
            target = printable(path.readlink())
            raise SourceError(f"{printable(path)}: is a link to {target}, which is not there.")
        elif not entry.is_file():
            listing.skipped["neither file nor folder"] += 1
        else:
            listing.paths.append(path)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError as error:
        raise SourceError(f"{printable(folder)}: cannot be listed ({error.strerror}).") from error


def _is_dir(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        raise SourceError(
            f"{printable(Path(entry.path))}: cannot be looked at ({error.strerror})."
        ) from error
