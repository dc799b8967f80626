"""Publish a benchmark: its repository, its shards, its card, and the collection that names it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import RepositoryNotFoundError

from semasia.config.hub import Hub
from semasia.errors import HubError
from semasia.hub import KIND, Head, LocalFile, Pushed, Repository, Retrying, head_of, push
from semasia.inputs import BenchmarkCard
from semasia.publishing.agreement import Agreement
from semasia.publishing.card import (
    MARK,
    SplitRows,
    card_text,
    facts_of,
    registry_card_text,
)
from semasia.publishing.publication import Publication
from semasia.publishing.union import Registries

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
    beside : callable, optional
        Returns the files for what the repository holds, or refuses; without it they are ``files``.
    """

    repository: str
    title: str
    files: tuple[LocalFile, ...]
    card: Callable[[Iterable[str], str], str]
    beside: Callable[[Head], Sequence[LocalFile]] | None = None

    def of(self, head: Head) -> Sequence[LocalFile]:
        """Return what is to be there beside what is."""
        return self.files if self.beside is None else self.beside(head)


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


def wanted_of(
    hub: Hub, publication: Publication, benchmark: BenchmarkCard, retrying: Retrying
) -> Wanted:
    """Return what a benchmark's repository is to hold."""
    repository = hub.repository(publication.benchmark)
    splits = {
        split: SplitRows(rows, benchmark.splits[split].rows)
        for split, rows in publication.rows.items()
    }
    agreement = Agreement(repository, publication.files, retrying, splits)

    def beside(head: Head) -> Sequence[LocalFile]:
        agreement.check(head)
        return publication.files

    def card(places: Iterable[str], before: str) -> str:
        # Models that another collection published here stay described.
        facts = {**facts_of(before), **publication.facts}
        held_back = publication.held_back
        return card_text(repository, benchmark, places, splits, facts, held_back)

    return Wanted(repository, f"Latents of {benchmark.title}", publication.files, card, beside)


def wanted_registry(
    hub: Hub, table: Path | None, retrying: Retrying, without: Sequence[str] = ()
) -> Wanted:
    """Return what the registry's repository is to hold: its rows, and those of our table.

    Parameters
    ----------
    hub : Hub
    table : Path or None
        The registry's Parquet; None only takes rows out.
    retrying : Retrying
    without : sequence of str
        Models that are to have no row.
    """
    repository = hub.repository("registry")
    registries = Registries(table, retrying, hub.hold_back_licenses, without)

    def card(places: Iterable[str], before: str) -> str:
        return registry_card_text(repository, registries.frame.columns, registries.frame.height)

    def beside(head: Head) -> Sequence[LocalFile]:
        return [registries.file(head)]

    return Wanted(repository, "Models", (), card, beside)


def difference(api: HfApi, wanted: Wanted, retrying: Retrying) -> Difference:
    """Return what a push would send, the card included, without sending anything."""
    found = existing(api, wanted.repository, retrying)
    head = found or Head(wanted.repository, "", {})
    wanted_files = wanted.of(head)
    places = {*head.files, *(file.place for file in wanted_files)}
    card = LocalFile.of(CARD, wanted.card(places, card_there(head, retrying)).encode())
    files = (*wanted_files, card)
    missing = tuple(f for f in files if not head.holds(f))
    return Difference(found is not None, missing, len(files) - len(missing))


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
    if (head := existing(api, repository, retrying)) is None:
        retrying(
            f"creating {repository}",
            lambda: api.create_repo(
                repository, repo_type=KIND, private=hub.private or None, exist_ok=True
            ),
        )
        head = head_of(api, repository, retrying)
    card = Card(wanted.card, retrying)
    # Refused before anything is sent.
    card.file(head)
    return push(
        api,
        head,
        wanted.of,
        card.file,
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


class Card:
    """Makes README.md for what a repository holds, from the card of ours that is there.

    Parameters
    ----------
    text : callable
        As of :class:`Wanted`.
    retrying : Retrying
    """

    def __init__(self, text: Callable[[Iterable[str], str], str], retrying: Retrying) -> None:
        self._text = text
        self._retrying = retrying
        self._oid: str | None = None
        self._before = ""
        self._made: LocalFile | None = None

    def file(self, head: Head, without: Iterable[str] = ()) -> LocalFile:
        """Return it for the files of a commit, without some.

        Raises
        ------
        HubError
            If somebody else wrote the card that is there.
        """
        known = head.files.get(CARD)
        oid = known.oid if known else None
        # Another collection's push may have changed it meanwhile; our own did not.
        if oid != self._oid and not (self._made and head.holds(self._made)):
            self._before = card_there(head, self._retrying)
        self._oid = oid
        places = set(head.files).difference(without)
        self._made = LocalFile.of(CARD, self._text(places, self._before).encode())
        return self._made


def existing(api: HfApi, repository: str, retrying: Retrying) -> Head | None:
    """List a repository; None: there is none, or it may not be seen."""

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


def card_there(head: Head, retrying: Retrying) -> str:
    """Return the card of ours that a repository has; empty: none. Refuses one of somebody else."""
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
