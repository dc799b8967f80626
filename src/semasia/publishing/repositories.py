"""Publish a benchmark: its repository, its shards, its card, and the collection that names it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import RepositoryNotFoundError

from semasia.config.hub import Hub
from semasia.errors import HubError
from semasia.hub import KIND, Head, LocalFile, Pushed, Repository, Retrying, head_of, push
from semasia.inputs import BenchmarkCard
from semasia.publishing.card import (
    MARK,
    REGISTRY_PLACE,
    card_text,
    facts_of,
    registry_card_text,
)
from semasia.publishing.publication import Publication
from semasia.tables import read_table

CARD = "README.md"


class Difference(NamedTuple):
    """What a push would send.

    Attributes
    ----------
    exists : bool
        Whether the repository does.
    missing : tuple of LocalFile
    present : int
        Files that are there with the same content.
    """

    exists: bool
    missing: tuple[LocalFile, ...]
    present: int

    @property
    def bytes(self) -> int:
        return sum(file.size for file in self.missing)


@dataclass(frozen=True)
class Wanted:
    """What a repository is to hold.

    Attributes
    ----------
    repository : str
        ``namespace/name``.
    title : str
    files : tuple of LocalFile
    card : callable
        Makes README.md for the paths that the repository holds, and the text of a card of ours that
        was there before, empty if there was none.
    """

    repository: str
    title: str
    files: tuple[LocalFile, ...]
    card: Callable[[Iterable[str], str], str]


def signed_in(api: HfApi, retrying: Retrying) -> str:
    """Return the name that the token of the environment, or of a login, belongs to.

    Raises
    ------
    HubError
        If there is none, or it is not accepted.
    """
    if api.token is None and get_token() is None:
        raise HubError(
            "no token of the Hugging Face Hub: set HF_TOKEN in the environment, or log in with "
            "`hf auth login`."
        )
    return retrying("asking the Hub whose token this is", api.whoami)["name"]


def wanted_of(hub: Hub, publication: Publication, benchmark: BenchmarkCard) -> Wanted:
    """Return what a benchmark's repository is to hold."""
    repository = hub.repository(publication.benchmark)

    def card(places: Iterable[str], before: str) -> str:
        # Models that another collection published here stay described.
        facts = {**facts_of(before), **publication.facts}
        rows, held_back = publication.rows, publication.held_back
        return card_text(repository, benchmark, places, rows, facts, held_back)

    return Wanted(repository, f"Latents of {benchmark.title}", publication.files, card)


def wanted_registry(hub: Hub, table: Path) -> Wanted:
    """Return what the registry's repository is to hold; ``table`` is the registry's Parquet."""
    repository = hub.repository("registry")
    frame = read_table(table)
    file = LocalFile.of(REGISTRY_PLACE, table)

    def card(places: Iterable[str], before: str) -> str:
        return registry_card_text(repository, frame.columns, frame.height)

    return Wanted(repository, "Models", (file,), card)


def difference(api: HfApi, wanted: Wanted, retrying: Retrying) -> Difference:
    """Return what a push would send, the card included, without sending anything."""
    head = _existing(api, wanted.repository, retrying)
    there = head.files if head else {}
    before = _card_there(head, retrying) if head else ""
    card = _card_file(wanted, {*there, *(file.place for file in wanted.files)}, before)
    files = (*wanted.files, card)
    missing = tuple(f for f in files if head is None or not head.holds(f))
    return Difference(head is not None, missing, len(files) - len(missing))


def publish(api: HfApi, hub: Hub, wanted: Wanted, retrying: Retrying) -> Pushed:
    """Bring a repository up to date, made if there is none.

    Raises
    ------
    HubError
        If the Hub refuses, or the repository has a card that this program did not write.
    HubUnreachableError
        If it did not answer in all attempts.
    """
    repository = wanted.repository
    if (head := _existing(api, repository, retrying)) is None:
        retrying(
            f"creating {repository}",
            lambda: api.create_repo(
                repository, repo_type=KIND, private=hub.private or None, exist_ok=True
            ),
        )
        head = head_of(api, repository, retrying)
        before = ""
    else:
        before = _card_there(head, retrying)
    return push(
        api,
        head,
        wanted.files,
        lambda now: _card_file(wanted, now.files, before),
        retrying=retrying,
        most_files=hub.files_per_commit,
        most_bytes=int(hub.gigabytes_per_commit * 1e9),
    )


def publish_collection(
    api: HfApi, hub: Hub, repositories: Mapping[str, str], retrying: Retrying
) -> str | None:
    """Make the configured collection hold repositories; returns its name in addresses.

    Parameters
    ----------
    repositories : mapping of str
        A note for each.
    """
    if hub.collection is None:
        return None
    title = hub.collection
    found = retrying(
        f"making the collection {title!r}",
        lambda: api.create_collection(
            title, namespace=hub.namespace, private=hub.private, exists_ok=True
        ),
    )
    for repository, note in repositories.items():

        def add(repository: str = repository, note: str = note) -> None:
            api.add_collection_item(found.slug, repository, KIND, note=note, exists_ok=True)

        retrying(f"adding {repository} to the collection {title!r}", add)
    return found.slug


def _card_file(wanted: Wanted, places: Iterable[str], before: str) -> LocalFile:
    return LocalFile.of(CARD, wanted.card(places, before).encode())


def _existing(api: HfApi, repository: str, retrying: Retrying) -> Head | None:
    # The difference between a repository that is not there and one that may not be seen is the
    # Hub's secret: creating it tells.
    def is_there() -> bool:
        try:
            api.repo_info(repository, repo_type=KIND)
        except RepositoryNotFoundError as error:
            if error.response.status_code == 401:
                raise
            return False
        return True

    there = retrying(f"looking for {repository}", is_there)
    return head_of(api, repository, retrying) if there else None


def _card_there(head: Head, retrying: Retrying) -> str:
    if CARD not in head.files:
        return ""
    with tempfile.TemporaryDirectory() as folder:
        path = Repository(head.repository, head.commit).fetch(CARD, Path(folder), retrying)
        if path is None:
            raise HubError(f"{head.repository}: {CARD} is listed, and is not there.")
        text = path.read_text(encoding="utf-8")
    # What the Hub's own form makes of a new repository has a heading of metadata and no text.
    if MARK not in text and text.split("---")[-1].strip():
        raise HubError(
            f"{head.repository}: its README.md was not written by Semasia, and is not overwritten. "
            "Move it away there, or choose another `hub.namespace`."
        )
    return text
