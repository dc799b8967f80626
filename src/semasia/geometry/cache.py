"""Rows of an analysis table kept as they are made, so that a block of models can be resumed."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from semasia.errors import StorageError
from semasia.files import whole_file

_logger = logging.getLogger(__name__)


class RowCache:
    """A folder of finished rows, one small file each, named by what the row is a function of.

    Parameters
    ----------
    folder : Path
    recipe : int
        Rows of another recipe are never used.
    """

    def __init__(self, folder: Path, recipe: int) -> None:
        self._folder = folder
        self._recipe = recipe

    def get_or_make(self, key: Any, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return the row stored under ``key`` (plain JSON types), making it if it is not there."""
        text = json.dumps([self._recipe, key], sort_keys=True)
        path = self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"
        if (kept := _kept(path)) is not None:
            return kept
        row = make()
        content = json.dumps(row, ensure_ascii=False)
        try:
            with whole_file(path) as temporary:
                temporary.write_text(f"{content}\n{_digest(content)}", encoding="utf-8")
        except StorageError as error:
            # The row is made all the same; only a later run makes it once more.
            _logger.warning("not kept for a later run: %s", error)
        return row


def _kept(path: Path) -> dict[str, Any] | None:
    """Return a row that was kept; None if there is none, or it was damaged since."""
    try:
        content, _, digest = path.read_text(encoding="utf-8").partition("\n")
        row = json.loads(content)
    except (OSError, ValueError, RecursionError):
        return None
    # Rows were kept without a digest before.
    sound = isinstance(row, dict) and digest in ("", _digest(content))
    return row if sound else None


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()
