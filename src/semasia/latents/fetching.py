"""Take shards that somebody published, in place of computing them, and verify them alike."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semasia.errors import (
    DamagedFileError,
    HubError,
    HubUnreachableError,
    RowMismatchError,
    ShardError,
    StorageError,
)
from semasia.files import AGAIN, read_record, sha256_of_file, whole_file
from semasia.hub import Repository, Retrying
from semasia.latents.checks import check_asked_for
from semasia.latents.layouts import Found, arranged, one_of
from semasia.latents.reader import Shard
from semasia.latents.released import Released
from semasia.latents.roots import Key


@dataclass(frozen=True)
class Listing:
    """What a benchmark's repository holds at one commit: all shards of a run are taken from it.

    Attributes
    ----------
    repository : Repository
        At the commit.
    files : dict of (int, str or None)
        Size and SHA-256 by path; None for a file that is small enough for git itself.
    """

    repository: Repository
    files: dict[str, tuple[int, str | None]]

    @classmethod
    def of(cls, repository: Repository, retrying: Retrying | None = None) -> Listing:
        """Ask the Hub.

        Raises
        ------
        HubError
            If the repository is not there, may not be read, or holds no shard.
        HubUnreachableError
            If there was no answer.
        """
        head = repository.head(retrying)
        if not arranged(head.files):
            raise HubError(
                f"{repository}: holds no shard, neither data/MODEL/SPLIT.parquet nor "
                "SPLIT/MODEL/part-*.parquet. Check `latents.repos`."
            )
        files = {place: (file.size, file.sha256) for place, file in sorted(head.files.items())}
        return cls(Repository(repository.name, head.commit), files)

    def write(self, path: Path) -> None:
        """Keep it as JSON."""
        content = {
            "repository": self.repository.name,
            "commit": self.repository.revision,
            "files": self.files,
        }
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(content, indent=0), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Listing:
        """Read what :meth:`write` wrote; a DamagedFileError where that is no longer there."""
        content = read_record(path, ("repository", "commit", "files"))
        try:
            files = {place: (size, digest) for place, (size, digest) in content["files"].items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise DamagedFileError(f"{path}: is no listing of a repository. {AGAIN}") from error
        return cls(Repository(content["repository"], content["commit"]), files)

    def shard(self, key: Key) -> Found:
        """Return the files of one shard.

        Raises
        ------
        ShardError
            If it was not published; the message offers near names.
        """
        try:
            return one_of(arranged(self.files), key.model, key.split, self.repository)
        except ShardError as error:
            raise ShardError(f"{error} Exclude the model, or extract it.") from None


def fetch_shard(
    listing: Listing,
    key: Key,
    rows: int,
    target: Path,
    *,
    stated: dict[str, Any],
    source_rows: int,
    retrying: Retrying | None = None,
) -> None:
    """Fetch a shard, check every value of it, and put it in place.

    A shard of ours arrives as it was published, byte for byte. One of the original release is
    written as one of ours; its provenance says that it came from there, and no more.

    Parameters
    ----------
    listing : Listing
    key : Key
    rows : int
        That it must have.
    target : Path
    stated : dict
        What the registry states of the encoder, for a release that states nothing.
    source_rows : int
        Of the whole split, likewise.
    retrying : Retrying, optional

    Raises
    ------
    ShardError
        If it is not published, arrived damaged, or is another's.
    RowMismatchError
        If it has other rows.
    HubError, HubUnreachableError
        If the Hub refuses, or does not answer.
    StorageError
        If it cannot be written.
    """
    found = listing.shard(key)
    with _arriving(target) as folder:
        paths = [_fetched(listing, place, folder, retrying) for place in found.places]
        with whole_file(target) as temporary:
            if found.released:
                card = _card(listing, folder, retrying)
                released = Released(paths, key.model, card)
                source = {
                    "repo": listing.repository.name,
                    "revision": listing.repository.revision,
                }
                known = released.provenance(key.benchmark, key.split, source, stated, source_rows)
                released.write(temporary, known)
            else:
                shutil.move(paths[0], temporary)
            _check(temporary, target, key, rows)


@contextmanager
def _arriving(target: Path) -> Iterator[Path]:
    """Yield a folder beside a target, in which a killed run's whole files still lie."""
    folder = target.with_name(f".{target.name}.fetched")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    except HubUnreachableError:
        raise
    except OSError as error:
        raise StorageError(
            f"{target}: could not be fetched to {folder} ({error.strerror or error}). Free space "
            "or mend permissions there, and run again."
        ) from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _fetched(listing: Listing, place: str, folder: Path, retrying: Retrying | None) -> Path:
    path = listing.repository.fetch(place, folder, retrying)
    size, digest = listing.files[place]
    if path is None:
        raise HubError(f"{listing.repository}: {place} is listed, and is not there.")
    if path.stat().st_size != size or (digest is not None and sha256_of_file(path) != digest):
        raise ShardError(
            f"{listing.repository}/{place}: arrived with other content than the repository lists. "
            "Run again."
        )
    return path


def _card(listing: Listing, folder: Path, retrying: Retrying | None) -> str | None:
    card = listing.repository.fetch("README.md", folder, retrying)
    return card.read_text(encoding="utf-8") if card else None


def _check(path: Path, target: Path, key: Key, rows: int) -> None:
    """Hold it to its provenance and to its place; messages name where it was to stand."""
    try:
        shard = Shard(path)
        check_asked_for(path, shard.provenance, *key)
        if shard.rows != rows:
            raise RowMismatchError(
                f"{path}: {shard.rows:,} rows were published, and the configuration asks for "
                f"{rows:,}. Change `benchmarks[].rows`."
            )
        shard.verify()
    except ShardError as error:
        raise type(error)(str(error).replace(str(path), str(target))) from None
