"""The contents of large files, by SHA-256, and the addresses that storage gives them."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Iterable
from pathlib import Path

from .exchange import RefusedError, Request

# Larger objects are sent in parts of this size. The true Hub's are far larger.
PART = 4 * 2**20


class Objects:
    """Whole files, each checked against its SHA-256 before it counts as there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts = folder / "parts"
        self._parts.mkdir(parents=True)

    def has(self, sha256: str) -> bool:
        return self.path(sha256).exists()

    def path(self, sha256: str) -> Path:
        return self._folder / sha256

    def size(self, sha256: str) -> int:
        return self.path(sha256).stat().st_size

    def put(self, content: Iterable[bytes], sha256: str | None = None) -> str:
        """Store a file; returns its SHA-256.

        Parameters
        ----------
        content : iterable of bytes
            Its pieces.
        sha256 : str or None
            What it is to have, if that is known.

        Raises
        ------
        RefusedError
            400, if it has another; nothing is stored then.
        """
        unfinished = self._folder / f".{secrets.token_hex(8)}"
        digest = hashlib.sha256()
        try:
            with unfinished.open("wb") as file:
                for piece in content:
                    digest.update(piece)
                    file.write(piece)
            found = digest.hexdigest()
            if sha256 not in {None, found}:
                raise RefusedError(400, f"The content has the SHA-256 {found}, and not {sha256}")
            unfinished.replace(self.path(found))
            return found
        finally:
            unfinished.unlink(missing_ok=True)

    def put_part(self, sha256: str, number: int, content: bytes) -> str:
        """Store a part of a file; returns its entity tag."""
        path = self._part(sha256, number)
        unfinished = path.with_name(f".{secrets.token_hex(8)}")
        unfinished.write_bytes(content)
        unfinished.replace(path)
        return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'

    def complete(self, sha256: str, tags: dict[int, str]) -> None:
        """Put a file together from its parts; those of a file that is there are not asked for.

        Parameters
        ----------
        tags : dict of str
            Entity tags by number.
        """
        if self.has(sha256):
            return
        paths = [self._part(sha256, number) for number in sorted(tags)]
        for path, (number, tag) in zip(paths, sorted(tags.items()), strict=True):
            content = path.read_bytes() if path.exists() else b""
            if tag.strip('"') != hashlib.md5(content, usedforsecurity=False).hexdigest():
                raise RefusedError(400, f"Part {number} of {sha256} is not there")
        self.put((path.read_bytes() for path in paths), sha256)
        for path in paths:
            path.unlink()

    def _part(self, sha256: str, number: int) -> Path:
        return self._parts / f"{sha256}.{number:05d}"


class Signatures:
    """Addresses that need no token, because they carry a signature of their own path."""

    def __init__(self) -> None:
        self._key = os.urandom(32)

    def sign(self, path: str) -> str:
        return f"{path}?signature={self._of(path)}"

    def check(self, request: Request) -> None:
        """Let a request through whose signature is of its path.

        Raises
        ------
        RefusedError
            403, otherwise.
        """
        if not hmac.compare_digest(request.argument("signature") or "", self._of(request.path)):
            raise RefusedError(403, "The signature does not match the address")

    def _of(self, path: str) -> str:
        return hmac.new(self._key, path.encode(), "sha256").hexdigest()


class Passes:
    """Short-lived tokens of storage: what the Hub gives for one of its own."""

    LIFETIME = 3600

    def __init__(self) -> None:
        self._scopes: dict[str, str] = {}
        self._lock = threading.Lock()

    def issue(self, scope: str) -> str:
        value = f"xet_{secrets.token_hex(16)}"
        with self._lock:
            self._scopes[value] = scope
        return value

    def check(self, request: Request, *scopes: str) -> None:
        """Let a request through that has a token of one of the scopes.

        Raises
        ------
        RefusedError
            401 without one, 403 with one of another scope.
        """
        scope = self._scopes.get(request.bearer() or "")
        if scope is None:
            raise RefusedError(401, "Unauthorized")
        if scope not in scopes:
            raise RefusedError(403, "Forbidden")
