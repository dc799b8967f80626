"""Repositories: bare ones of git, with real commits, in which large files are LFS pointers."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .exchange import RefusedError

MAIN = "main"
LARGE = ("7z", "arrow", "bin", "gz", "npy", "npz", "parquet", "pt", "safetensors", "tar", "zip")
# The Hub makes every repository with a first commit that holds this file.
ATTRIBUTES = "".join(f"*.{name} filter=lfs diff=lfs merge=lfs -text\n" for name in LARGE)
# The longest that a pointer may be; what is larger is not looked into.
_POINTER_SIZE = 200
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize (\d+)\n"
)
_ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "LC_ALL": "C",
}


class Large(NamedTuple):
    """What a pointer says of a file."""

    sha256: str
    size: int
    pointer_size: int


@dataclass(frozen=True)
class Entry:
    """A file or folder of a commit.

    Attributes
    ----------
    path : str
    oid : str
        Git's SHA-1, of the pointer if the file is large.
    size : int or None
        Of the content, in bytes; None for a folder.
    large : Large or None
    """

    path: str
    oid: str
    size: int | None
    large: Large | None = None

    @property
    def is_folder(self) -> bool:
        return self.size is None


class Commit(NamedTuple):
    """One commit; ``date`` is in seconds since 1970."""

    oid: str
    parents: tuple[str, ...]
    author: str
    date: int
    title: str
    message: str


class Repository:
    """One repository.

    Parameters
    ----------
    kind : str
        models, datasets or spaces.
    id : str
        ``namespace/name``.
    folder : Path
        Where git keeps it.
    private : bool
    """

    def __init__(self, kind: str, id: str, folder: Path, private: bool) -> None:
        self.kind, self.id, self.private = kind, id, private
        self.created = time.time()
        self.writing = threading.RLock()
        self._folder = folder
        self._trees: dict[str, dict[str, Entry]] = {}
        self._pointers: dict[str, Large | None] = {}
        self._head: str | None = None
        folder.mkdir(parents=True)
        self._git("init", "--quiet", "--bare", "--template=", f"--initial-branch={MAIN}", ".")
        self.commit({".gitattributes": ATTRIBUTES.encode()}, (), "initial commit", "", "system")

    @property
    def prefix(self) -> str:
        """What comes before the id in addresses outside the API."""
        return "" if self.kind == "models" else f"{self.kind}/"

    @property
    def head(self) -> str:
        """The newest commit of the main branch."""
        assert self._head is not None
        return self._head

    def revision(self, name: str) -> str:
        """Return the commit that a branch, tag or unabridged hash names.

        Raises
        ------
        RefusedError
            404, if it names none.
        """
        if name in {MAIN, f"refs/heads/{MAIN}"}:
            return self.head
        if name in self._trees:
            return name
        done = self._run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        if done.returncode or name.startswith("-"):
            raise RefusedError(404, f"Invalid rev id: {name}", "RevisionNotFound")
        return done.stdout.decode().strip()

    def tree(self, commit: str) -> dict[str, Entry]:
        """Return everything that a commit holds, folders too, by path in git's order."""
        with self.writing:
            if commit not in self._trees:
                self._trees[commit] = self._read_tree(commit)
            return self._trees[commit]

    def entry(self, commit: str, path: str) -> Entry:
        """Return one file of a commit.

        Raises
        ------
        RefusedError
            404, if it is not there.
        """
        found = self.tree(commit).get(path)
        if found is None or found.is_folder:
            raise RefusedError(
                404, "Entry not found", "EntryNotFound", headers={"X-Repo-Commit": commit}
            )
        return found

    def blob(self, oid: str) -> bytes:
        return self._git("cat-file", "blob", oid)

    def history(self, commit: str, path: str | None = None) -> list[Commit]:
        """Return a commit and those before it, newest first; with a path, those that changed it."""
        form = "--format=%H%x00%P%x00%an%x00%at%x00%s%x00%b%x01"
        limit = ("-1",) if path else ()
        text = self._git("log", *limit, form, commit, "--", *([path] if path else ()))
        commits = []
        for row in text.decode().split("\x01\n")[:-1]:
            oid, parents, author, date, title, message = row.split("\x00")
            commits.append(
                Commit(oid, tuple(parents.split()), author, int(date), title, message.strip())
            )
        return commits

    def branches(self) -> dict[str, str]:
        text = self._git("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads")
        return dict(line.rsplit(" ", 1) for line in text.decode().splitlines())

    def commit(
        self,
        written: Mapping[str, bytes],
        deleted: Iterable[str],
        title: str,
        message: str,
        author: str,
    ) -> str:
        """Add a commit to the main branch; returns its hash.

        Parameters
        ----------
        written : mapping of bytes
            What is stored, by path: content, or the pointer of a large file.
        deleted : iterable of str
            Files or folders.
        title, message, author : str
        """
        text = f"{title}\n\n{message}".strip().encode()
        who = f"{author} <{author}@example.org> {int(time.time())} +0000".encode()
        stream = [b"feature done\ncommit refs/heads/%s\n" % MAIN.encode()]
        stream.append(b"author %s\ncommitter %s\ndata %d\n%s\n" % (who, who, len(text), text))
        if self._head:
            stream.append(b"from %s\n" % self._head.encode())
        stream += [b"D %s\n" % _quoted(path) for path in deleted]
        for path, content in written.items():
            stream.append(b"M 100644 inline %s\n" % _quoted(path))
            stream.append(b"data %d\n%s\n" % (len(content), content))
        stream.append(b"done\n")
        with self.writing:
            self._git("fast-import", "--quiet", "--done", stdin=b"".join(stream))
            self._head = self._git("rev-parse", f"refs/heads/{MAIN}").decode().strip()
            return self._head

    def is_large(self, commit: str, path: str) -> bool:
        """Return whether .gitattributes sends a path to large storage."""
        held = self.tree(commit).get(".gitattributes")
        lines = self.blob(held.oid).decode().splitlines() if held else []
        name = path.rsplit("/", 1)[-1]
        patterns = [line.split()[0] for line in lines if "filter=lfs" in line]
        return any(fnmatch.fnmatch(name, p) or fnmatch.fnmatch(path, p) for p in patterns)

    def _read_tree(self, commit: str) -> dict[str, Entry]:
        rows = []
        for row in self._git("ls-tree", "-r", "-t", "-z", "--long", commit).split(b"\0")[:-1]:
            told, path = row.split(b"\t", 1)
            _, kind, oid, size = told.decode().split()
            rows.append((path.decode(), oid, None if kind == "tree" else int(size)))
        self._read_pointers({o for _, o, size in rows if size is not None and size < _POINTER_SIZE})
        entries = {}
        for path, oid, size in rows:
            large = self._pointers.get(oid)
            entries[path] = Entry(path, oid, large.size if large else size, large)
        return entries

    def _read_pointers(self, oids: set[str]) -> None:
        unknown = sorted(oids - set(self._pointers))
        if not unknown:
            return
        content = self._git(
            "cat-file", "--batch", stdin="".join(f"{o}\n" for o in unknown).encode()
        )
        at = 0
        for oid in unknown:
            end = content.index(b"\n", at)
            size = int(content[at:end].split()[2])
            found = _POINTER.fullmatch(content[end + 1 : end + 1 + size])
            self._pointers[oid] = Large(found[1].decode(), int(found[2]), size) if found else None
            at = end + 1 + size + 1

    def _run(self, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["git", *words],
            cwd=self._folder,
            env={**_ENVIRONMENT, "GIT_DIR": str(self._folder)},
            input=stdin,
            capture_output=True,
        )

    def _git(self, *words: str, stdin: bytes = b"") -> bytes:
        done = self._run(*words, stdin=stdin)
        if done.returncode:
            raise RuntimeError(f"git {' '.join(words)}: {done.stderr.decode(errors='replace')}")
        return done.stdout


class Repositories:
    """All repositories, under a folder; a name can be taken again when its repository is gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[tuple[str, str], Repository] = {}
        self._lock = threading.Lock()

    def find(self, kind: str, id: str) -> Repository | None:
        return self._known.get((kind, id))

    def create(self, kind: str, id: str, private: bool = False) -> Repository:
        with self._lock:
            if (kind, id) in self._known:
                raise KeyError(id)
            made = Repository(kind, id, self._folder / kind / id, private)
            self._known[kind, id] = made
            return made

    def delete(self, repository: Repository) -> None:
        with self._lock:
            del self._known[repository.kind, repository.id]
            shutil.rmtree(self._folder / repository.kind / repository.id)


def pointer(sha256: str, size: int) -> bytes:
    """Return what git holds in place of a large file."""
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"
    return text.encode()


def blob_oid(content: bytes) -> str:
    """Return git's name of a content."""
    return hashlib.sha1(b"blob %d\0%s" % (len(content), content), usedforsecurity=False).hexdigest()


def _quoted(path: str) -> bytes:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'.encode()
