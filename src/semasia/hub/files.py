"""Files that are to stand in a repository, and how they are put into commits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from semasia.files import sha256_of_file

_READ = 2**22


@dataclass(frozen=True)
class LocalFile:
    """One file and where it is to stand.

    Attributes
    ----------
    place : str
        Path in the repository.
    source : Path or bytes
    size : int
        In bytes.
    sha256 : str
    """

    place: str
    source: Path | bytes
    size: int
    sha256: str

    @classmethod
    def of(cls, place: str, source: Path | bytes) -> LocalFile:
        """Read a file, or take bytes."""
        if isinstance(source, bytes):
            return cls(place, source, len(source), hashlib.sha256(source).hexdigest())
        return cls(place, source, source.stat().st_size, sha256_of_file(source))

    def git_oid(self) -> str:
        """Return the SHA-1 that git has for the content, as for files that are not large."""
        digest = hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)
        if isinstance(self.source, bytes):
            digest.update(self.source)
        else:
            with self.source.open("rb") as file:
                while block := file.read(_READ):
                    digest.update(block)
        return digest.hexdigest()


def first_batch(files: Iterable[LocalFile], most_files: int, most_bytes: int) -> list[LocalFile]:
    """Return the first files, as many and as large together as one commit may be, one at least."""
    held: list[LocalFile] = []
    size = 0
    for file in files:
        size += file.size
        if held and (len(held) == most_files or size > most_bytes):
            break
        held.append(file)
    return held
