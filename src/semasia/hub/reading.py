"""Read from a dataset repository on the Hub: what it holds, and single files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, constants, hf_hub_download, hf_hub_url
from huggingface_hub.errors import (
    EntryNotFoundError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
)

from semasia.errors import HubError, HubUnreachableError
from semasia.hub.remote import KIND, Head, head_of
from semasia.hub.retrying import Retrying

SCHEME = "hf://"
_ROOT = re.compile(
    r"hf://datasets/(?P<name>[^/@\s]+/[^/@\s]+)(?:@(?P<revision>[^/@\s]+))?/?", re.ASCII
)
_OWN_HOST = "https://huggingface.co"
# A person waits for it: fewer than a push has.
_ATTEMPTS = 5


@dataclass(frozen=True)
class Repository:
    """A dataset repository at a revision.

    Attributes
    ----------
    name : str
        ``namespace/name``.
    revision : str
        Commit, branch or tag.
    """

    name: str
    revision: str = "main"

    @classmethod
    def of(cls, root: str) -> Repository:
        """Read ``hf://datasets/namespace/name``, with ``@revision`` behind it or not.

        Raises
        ------
        HubError
            If it is not of that form.
        """
        if not (found := _ROOT.fullmatch(root)):
            raise HubError(
                f"{root!r} is no dataset repository: write hf://datasets/NAMESPACE/NAME, with "
                "@REVISION behind it where another than the newest commit is meant."
            )
        return cls(found["name"], found["revision"] or "main")

    def __str__(self) -> str:
        at = "" if self.revision == "main" else f"@{self.revision}"
        return f"{SCHEME}datasets/{self.name}{at}"

    def head(self, retrying: Retrying | None = None) -> Head:
        """List the repository at its revision.

        Raises
        ------
        HubError
            If it is not there, or may not be read.
        HubUnreachableError
            If there was no answer.
        """
        retrying = retrying or Retrying(attempts=_ATTEMPTS)
        try:
            return head_of(HfApi(library_name="semasia"), self.name, retrying, self.revision)
        except OfflineModeIsEnabled as error:
            raise HubUnreachableError(f"{self}: cannot be listed: {error}") from None

    def fetch(
        self, place: str, folder: Path | None = None, retrying: Retrying | None = None
    ) -> Path | None:
        """Return a file of it on this machine, fetched if it is not; None if there is none.

        Parameters
        ----------
        place : str
            Path in the repository.
        folder : Path, optional
            Where it is put; by default the cache that all of the Hub's clients share.

        Raises
        ------
        HubError, HubUnreachableError
            As :meth:`head`.
        """

        def fetched() -> str | None:
            try:
                return hf_hub_download(
                    self.name,
                    place,
                    repo_type=KIND,
                    revision=self.revision,
                    local_dir=folder,
                    library_name="semasia",
                )
            except LocalEntryNotFoundError as error:
                if isinstance(error.__cause__, OfflineModeIsEnabled):
                    raise HubUnreachableError(f"{self}/{place}: {error}") from None
                raise ConnectionError(str(error)) from error
            except EntryNotFoundError:
                return None

        retrying = retrying or Retrying(attempts=_ATTEMPTS)
        path = retrying(f"fetching {self}/{place}", fetched)
        return None if path is None else Path(path)

    def address(self, place: str) -> str:
        """Return what polars and DuckDB read a file by.

        They know ``hf://`` for the Hub itself; where HF_ENDPOINT names another, it is a plain
        address there.
        """
        if constants.ENDPOINT == _OWN_HOST:
            return f"{SCHEME}datasets/{self.name}@{self.revision}/{place}"
        return hf_hub_url(self.name, place, repo_type=KIND, revision=self.revision)
