"""Publish a benchmark: its repository, its shards, its card, and the collection that names it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from huggingface_hub import HfApi
from huggingface_hub.errors import RepositoryNotFoundError

from semasia.config.hub import Hub
from semasia.errors import HubError
from semasia.hub.card import MARK, card_text
from semasia.hub.files import LocalFile
from semasia.hub.publication import Publication
from semasia.hub.push import Pushed, push
from semasia.hub.remote import KIND, Head, head_of
from semasia.hub.retrying import Retrying
from semasia.inputs import BenchmarkCard

CARD = "README.md"


class Difference(NamedTuple):
    """What a push would send.

    Attributes
    ----------
    repository : str
    exists : bool
    missing : tuple of LocalFile
    present : int
        Files that are there with the same content.
    """

    repository: str
    exists: bool
    missing: tuple[LocalFile, ...]
    present: int

    @property
    def bytes(self) -> int:
        return sum(file.size for file in self.missing)


def repository_of(hub: Hub, benchmark: str) -> str:
    """Return the name of a benchmark's repository."""
    return f"{hub.namespace}/semasia-{benchmark}"


def signed_in(api: HfApi, retrying: Retrying) -> str:
    """Return the name that the token of the environment, or of a login, belongs to.

    Raises
    ------
    HubError
        If there is none, or it is not accepted.
    """
    if api.token is None and not _stored_token():
        raise HubError(
            "no token of the Hugging Face Hub: set HF_TOKEN in the environment, or log in with "
            "`hf auth login`."
        )
    return retrying("asking the Hub whose token this is", api.whoami)["name"]


def difference(
    api: HfApi, repository: str, files: Sequence[LocalFile], retrying: Retrying
) -> Difference:
    """Return what a push would send, without sending anything."""
    head = _existing(api, repository, retrying)
    missing = tuple(f for f in files if head is None or not head.holds(f))
    return Difference(repository, head is not None, missing, len(files) - len(missing))


def publish(
    api: HfApi,
    hub: Hub,
    publication: Publication,
    benchmark: BenchmarkCard,
    retrying: Retrying,
) -> Pushed:
    """Bring a benchmark's repository up to date, made if there is none.

    Raises
    ------
    HubError
        If the Hub refuses, or the repository has a card that this program did not write.
    HubUnreachableError
        If it did not answer in all attempts.
    """
    repository = repository_of(hub, publication.benchmark)

    def card(head: Head) -> LocalFile:
        text = card_text(
            repository,
            benchmark,
            head.files,
            publication.rows,
            publication.facts,
            publication.held_back,
        )
        return LocalFile.of(CARD, text.encode())

    return publish_files(api, hub, repository, publication.files, card, retrying)


def publish_files(
    api: HfApi,
    hub: Hub,
    repository: str,
    files: Sequence[LocalFile],
    card: Callable[[Head], LocalFile],
    retrying: Retrying,
) -> Pushed:
    """Bring a repository to hold some files and a card; it is made if there is none."""
    if (head := _existing(api, repository, retrying)) is None:
        retrying(
            f"creating {repository}",
            lambda: api.create_repo(
                repository, repo_type=KIND, private=hub.private or None, exist_ok=True
            ),
        )
    elif CARD in head.files:
        _check_card(api, head, retrying)
    return push(
        api,
        repository,
        files,
        card,
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


def _existing(api: HfApi, repository: str, retrying: Retrying) -> Head | None:
    # The difference between a repository that is not there and one that may not be seen is the
    # Hub's secret: creating it tells.
    def listed() -> Head | None:
        try:
            api.repo_info(repository, repo_type=KIND)
        except RepositoryNotFoundError as error:
            if error.response.status_code == 401:
                raise
            return None
        return head_of(api, repository, retrying)

    return retrying(f"looking for {repository}", listed)


def _check_card(api: HfApi, head: Head, retrying: Retrying) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = retrying(
            f"reading the card of {head.repository}",
            lambda: api.hf_hub_download(
                head.repository, CARD, repo_type=KIND, revision=head.commit, local_dir=folder
            ),
        )
        text = Path(path).read_text(encoding="utf-8")
    # What the Hub's own form makes of a new repository has a heading of metadata and no text.
    if MARK not in text and text.split("---")[-1].strip():
        raise HubError(
            f"{head.repository}: its README.md was not written by Semasia, and is not overwritten. "
            "Move it away there, or choose another `hub.namespace`."
        )


def _stored_token() -> bool:
    from huggingface_hub import get_token

    return get_token() is not None
