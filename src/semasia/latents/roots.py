"""Where a collection is read from: a folder on this machine, or repositories on the Hub."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from semasia.errors import HubError, SemasiaError, ShardError, did_you_mean
from semasia.latents.layouts import Found, arranged, benchmark_named, one_of, published_place

if TYPE_CHECKING:
    from semasia.hub import Head, Repository


class Key(NamedTuple):
    """One shard of a collection."""

    benchmark: str
    model: str
    split: str


class Root(ABC):
    """Where shards lie, in one of three layouts.

    A results folder has ``latents/{benchmark}/{model}/{split}.parquet``. A repository of one
    benchmark, on the Hub or in a folder, has ``data/{model}/{split}.parquet``, or the original
    release's ``{split}/{model}/part-*.parquet``.
    """

    @abstractmethod
    def shards(self) -> dict[Key, Found]:
        """Return everything that is there."""

    @abstractmethod
    def files(self, key: Key) -> tuple[tuple[Path, ...], bool]:
        """Return the files of one shard on this machine, and whether they are the release's.

        Raises
        ------
        ShardError
            If there are none; the message offers near names.
        """

    # What to do about a file that is no shard.
    remedy = "Move it away."

    @abstractmethod
    def address(self, place: str) -> str | Callable[[], str]:
        """Return what polars reads a file by, or what returns it anew before each reading."""

    def unreadable(self, place: str, error: Exception) -> SemasiaError:
        """Return the error for a file that polars cannot read."""
        return ShardError(
            f"{self}/{place}: is no shard: it cannot be read as Parquet ({error}). Move it away, "
            "or delete it and run again."
        )

    @abstractmethod
    def card(self) -> str | None:
        """Return the README.md of a repository, None if there is none."""


def root_of(root: str | Path) -> Root:
    """Return the root that a path or a ``hf://`` address names.

    Raises
    ------
    HubError
        If it begins as an address, and is none.
    """
    text = str(root)
    if text.startswith("hf:"):
        # The client of the Hub is slow to import.
        from semasia.hub import SCHEME, Repository

        if not text.startswith(SCHEME):
            # What pathlib makes of it.
            text = text.replace("hf:/", SCHEME, 1)
        return HubRoot(Repository.of(text))
    return FolderRoot(Path(root))


class FolderRoot(Root):
    """A folder: a results folder, or a repository's that was fetched."""

    def __init__(self, base: Path) -> None:
        self.base = base

    def __str__(self) -> str:
        return str(self.base)

    def shards(self) -> dict[Key, Found]:
        found: dict[Key, Found] = {}
        if (self.base / "latents").is_dir():
            for path in sorted(self.base.glob("latents/*/*/*.parquet")):
                if not path.name.startswith("."):
                    place = str(path.relative_to(self.base))
                    key = Key(path.parts[-3], path.parts[-2], path.stem)
                    found[key] = Found((place,), released=False)
            return found
        places = [
            str(path.relative_to(self.base))
            for pattern in ("*/*/*.parquet", "data/*/*/*.parquet")
            for path in self.base.glob(pattern)
        ]
        name = benchmark_named(self.base.absolute().name)
        return {Key(name, *key): files for key, files in arranged(places).items()}

    def files(self, key: Key) -> tuple[tuple[Path, ...], bool]:
        ours = self.base / "latents" / key.benchmark / key.model / f"{key.split}.parquet"
        published = self.base / published_place(key.model, key.split)
        for path in (ours, published):
            if path.exists():
                return (path,), False
        if not (self.base / "latents").is_dir():
            for folder in (self.base, self.base / "data"):
                parts = folder.glob(f"{key.split}/{key.model}/part-*.parquet")
                places = [str(path.relative_to(self.base)) for path in parts]
                if files := arranged(places).get((key.model, key.split)):
                    return tuple(self.base / place for place in files.places), True
        there = {known.model for known in self.shards() if known.benchmark == key.benchmark}
        raise ShardError(f"{ours}: there is no such shard.{did_you_mean(key.model, there)}")

    def address(self, place: str) -> str:
        return str(self.base / place)

    def card(self) -> str | None:
        try:
            return (self.base / "README.md").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None


class HubRoot(Root):
    """A repository of one benchmark on the Hub."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository

    def __str__(self) -> str:
        return str(self.repository)

    @cached_property
    def _head(self) -> Head:
        return self.repository.head()

    @cached_property
    def _pinned(self) -> Repository:
        # All files of one answer are of one commit.
        return type(self.repository)(self.repository.name, self._head.commit)

    def shards(self) -> dict[Key, Found]:
        name = benchmark_named(self.repository.name)
        return {Key(name, *key): files for key, files in arranged(self._head.files).items()}

    def files(self, key: Key) -> tuple[tuple[Path, ...], bool]:
        # Without a listing where it is as we publish: one request, none where it was fetched.
        path = self.repository.fetch(published_place(key.model, key.split))
        if path is not None:
            return (path,), False
        files = one_of(arranged(self._head.files), key.model, key.split, self)
        paths = [self._pinned.fetch(place) for place in files.places]
        if None in paths:
            raise HubError(
                f"{self}: {files.places[paths.index(None)]} is listed, and is not there."
            )
        return tuple(path for path in paths if path is not None), True

    remedy = "Leave it out with `models=` or `splits=`, and tell who publishes it."

    def address(self, place: str) -> str | Callable[[], str]:
        return self._pinned.address(place)

    def unreadable(self, place: str, error: Exception) -> SemasiaError:
        try:
            # What the Hub itself says of it: polars' words do not tell why.
            self._pinned.location(place)
        except HubError as refusal:
            return refusal
        return HubError(
            f"{self}/{place}: is there, and cannot be read as Parquet ({error}). If the network "
            f"lets its storage through, it is damaged. {self.remedy}"
        )

    def card(self) -> str | None:
        path = self._pinned.fetch("README.md")
        return None if path is None else path.read_text(encoding="utf-8")
