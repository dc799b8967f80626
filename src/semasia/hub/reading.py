"""Read from a dataset repository on the Hub: what it holds, and single files."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import (
    HfApi,
    constants,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    LocalEntryNotFoundError,
)
from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

from semasia.errors import HubError, HubUnreachableError
from semasia.hub.remote import KIND, Head, head_of
from semasia.hub.retrying import Retrying, has_token, told_offline

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
        return head_of(HfApi(library_name="semasia"), self.name, retrying, self.revision)

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
                if constants.HF_HUB_OFFLINE:
                    told = f"{self}/{place}: not on this machine, and {told_offline()}"
                    raise HubUnreachableError(told) from None
                raise ConnectionError(str(error)) from error
            except EntryNotFoundError:
                return None

        retrying = retrying or Retrying(attempts=_ATTEMPTS)
        path = retrying(f"fetching {self}/{place}", fetched)
        return None if path is None else Path(path)

    def address(self, place: str) -> str | Callable[[], str]:
        """Return what polars reads a file by, or what returns it anew before each reading.

        Polars knows ``hf://`` for the Hub itself, and sends a token there alone. Where HF_ENDPOINT
        names another, it is a plain address there; with a token, the one that :meth:`location`
        gives.
        """
        if constants.ENDPOINT == _OWN_HOST:
            return f"{SCHEME}datasets/{self.name}@{self.revision}/{place}"
        if has_token():
            return lambda: self.location(place)
        return self._url(place)

    def location(self, place: str, retrying: Retrying | None = None) -> str:
        """Return where a file can be read without a token: in storage, for some minutes, or here.

        The token goes to the endpoint, which answers with an address that needs none. A file that
        it keeps itself is fetched.

        Raises
        ------
        HubError, HubUnreachableError
            As :meth:`head`.
        """
        url = self._url(place)
        retrying = retrying or Retrying(attempts=_ATTEMPTS)
        known = retrying(f"looking for {self}/{place}", lambda: get_hf_file_metadata(url))
        if known.location != url:
            return known.location
        path = self.fetch(place, retrying=retrying)
        assert path is not None, "it was found above"
        return str(path)

    def last_bytes(self, place: str, size: int, retrying: Retrying) -> bytes:
        """Return the last bytes of a file, at most ``size``; all of it where it has no more.

        Raises
        ------
        HubError, HubUnreachableError
            As :meth:`head`.
        """

        def fetched() -> bytes:
            headers = build_hf_headers(library_name="semasia") | {"Range": f"bytes=-{size}"}
            answer = get_session().get(self._url(place), headers=headers)
            hf_raise_for_status(answer)
            return answer.content

        return retrying(f"reading the end of {self}/{place}", fetched)

    def _url(self, place: str) -> str:
        return hf_hub_url(self.name, place, repo_type=KIND, revision=self.revision)
