"""Send files in commits of limited size, each on top of the one before, and the card at last.

What is there is known from the repository itself, by SHA-256, before anything is sent and again
after whatever went wrong. So a push that was killed goes on with the first commit that is missing,
one whose answer was lost is not made twice, and one that somebody else came before is made anew on
top of theirs. Only :func:`withdraw` deletes, and what it is told to.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

from semasia.errors import HubError
from semasia.hub.files import LocalFile, first_batch
from semasia.hub.remote import KIND, Head, head_of
from semasia.hub.retrying import Retrying, conflicts

# Commits of others in a row that are given way to.
_GIVE_WAY = 20


class Pushed(NamedTuple):
    """What a push came to.

    Attributes
    ----------
    commit : str
        The newest one, which holds all files.
    sent : tuple of LocalFile
        Those that were not there before.
    present : int
        Files that were.
    """

    commit: str
    sent: tuple[LocalFile, ...]
    present: int


def push(
    api: HfApi,
    head: Head,
    files: Callable[[Head], Sequence[LocalFile]],
    card: Callable[[Head], LocalFile],
    *,
    retrying: Retrying,
    most_files: int,
    most_bytes: int,
) -> Pushed:
    """Bring a dataset repository to hold some files, and then its card.

    Parameters
    ----------
    api : HfApi
    head : Head
        What it holds.
    files : callable
        Tells which are to be there, from what is: asked for again whenever that has changed.
    card : callable
        Makes README.md from what the repository holds once all files are there.
    retrying : Retrying
    most_files, most_bytes : int
        Of one commit.

    Raises
    ------
    HubError
        If the Hub refuses, a file changed since it was checked, or what arrived is not what was
        sent.
    HubUnreachableError
        If it did not answer in all attempts.
    """
    log = logging.getLogger(__name__)
    sent: list[LocalFile] = []
    repository = head.repository
    first = files(head)
    present = sum(head.holds(file) for file in first)

    def bring(wanted: Callable[[Head], Sequence[LocalFile]], head: Head) -> Head:
        failed = gave_way = 0
        while missing := [file for file in wanted(head) if not head.holds(file)]:
            batch = first_batch(missing, most_files, most_bytes)
            done = False
            try:
                _commit(api, head, batch, len(missing))
                done, failed, gave_way = True, 0, 0
            except HubError:
                raise
            except Exception as error:
                if not conflicts(error):
                    failed += 1
                    retrying.wait(f"committing to {repository}", error, failed)
                elif (gave_way := gave_way + 1) > _GIVE_WAY:
                    raise _crowded(repository) from None
            # Whatever the answer was, or if none came: what is there says what was done.
            before, head = head, head_of(api, repository, retrying)
            there = [file for file in batch if head.holds(file)]
            sent.extend(file for file in there if not before.holds(file))
            if done and len(there) < len(batch):
                lost = next(file.place for file in batch if file not in there)
                raise HubError(
                    f"{repository}: {lost} arrived with other content than was sent, in commit "
                    f"{head.commit}."
                )
            log.info("%s: %d of %d files are there", repository, present + len(sent), len(first))
        return head

    head = bring(files, head)
    head = bring(lambda now: [card(now)], head)
    return Pushed(head.commit, tuple(sent), present)


def withdraw(
    api: HfApi,
    head: Head,
    places: Callable[[Head], Sequence[str]],
    files: Callable[[Head], Sequence[LocalFile]],
    title: str,
    *,
    retrying: Retrying,
) -> tuple[str, list[str]]:
    """Delete some files of a dataset repository, and bring others up to date, in one commit.

    Parameters
    ----------
    api : HfApi
    head : Head
        What it holds.
    places, files : callable
        What is to go and what is to be there then, of what it holds.
    title : str
        Of the commit.
    retrying : Retrying

    Returns
    -------
    commit : str
        The newest one.
    deleted : list of str

    Raises
    ------
    HubError, HubUnreachableError
        As :func:`push`.
    """
    failed = gave_way = 0
    deleted: dict[str, None] = {}
    while True:
        gone = places(head)
        missing = [file for file in files(head) if not head.holds(file)]
        if not gone and not missing:
            return head.commit, list(deleted)
        operations: list[Any] = [CommitOperationDelete(place, is_folder=False) for place in gone]
        operations += [CommitOperationAdd(file.place, _source(file)) for file in missing]
        try:
            api.create_commit(
                head.repository,
                operations,
                commit_message=title,
                parent_commit=head.commit,
                repo_type=KIND,
            )
        except Exception as error:
            if not conflicts(error):
                failed += 1
                retrying.wait(f"committing to {head.repository}", error, failed)
            elif (gave_way := gave_way + 1) > _GIVE_WAY:
                raise _crowded(head.repository) from None
        head = head_of(api, head.repository, retrying)
        deleted |= dict.fromkeys(place for place in gone if place not in head.files)


def _crowded(repository: str) -> HubError:
    return HubError(
        f"{repository}: {_GIVE_WAY} times another commit came first; somebody else writes there. "
        "Try again when they have ended."
    )


def _source(file: LocalFile) -> bytes | str:
    return file.source if isinstance(file.source, bytes) else str(file.source)


def _commit(api: HfApi, head: Head, batch: Sequence[LocalFile], left: int) -> None:
    operations: list[Any] = []
    for file in batch:
        operation = CommitOperationAdd(file.place, _source(file))
        if operation.upload_info.sha256.hex() != file.sha256:
            raise HubError(
                f"{file.source}: changed while it was being published. Run again when nothing "
                "writes to it."
            )
        operations.append(operation)
    first = batch[0].place
    title = first if len(batch) == 1 else f"{len(batch)} files from {first}"
    api.create_commit(
        head.repository,
        operations,
        commit_message=f"Add {title} ({left} left)" if left > len(batch) else f"Add {title}",
        parent_commit=head.commit,
        repo_type=KIND,
    )
