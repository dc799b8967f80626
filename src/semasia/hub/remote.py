"""What a repository on the Hub holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from huggingface_hub import HfApi
from huggingface_hub.hf_api import RepoFile

from semasia.hub.files import LocalFile
from semasia.hub.retrying import Retrying

KIND = "dataset"


class RemoteFile(NamedTuple):
    """A file there: its size, and the SHA-256 of a large one or git's SHA-1 of another."""

    size: int
    sha256: str | None
    oid: str

    @classmethod
    def of(cls, entry: RepoFile) -> RemoteFile:
        """Take what a listing says of a file."""
        return cls(entry.size, entry.lfs.sha256 if entry.lfs else None, entry.blob_id)


@dataclass(frozen=True)
class Head:
    """A commit of a dataset repository.

    Attributes
    ----------
    repository : str
    commit : str
    files : dict of RemoteFile
        By path.
    """

    repository: str
    commit: str
    files: dict[str, RemoteFile]

    def holds(self, file: LocalFile) -> bool:
        """Return whether a file stands there with the same content."""
        found = self.files.get(file.place)
        if found is None or found.size != file.size:
            return False
        if found.sha256 is not None:
            return found.sha256 == file.sha256
        return found.oid == file.git_oid()


def head_of(api: HfApi, repository: str, retrying: Retrying, revision: str = "main") -> Head:
    """List a dataset repository at its newest commit, or at that of another revision."""

    def listed() -> Head:
        info = api.repo_info(repository, revision=revision, repo_type=KIND)
        assert info.sha is not None, "a repository has a first commit"
        tree = api.list_repo_tree(repository, recursive=True, revision=info.sha, repo_type=KIND)
        files = {entry.path: RemoteFile.of(entry) for entry in tree if isinstance(entry, RepoFile)}
        return Head(repository, info.sha, files)

    return retrying(f"listing {repository}", listed)
