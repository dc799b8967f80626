"""Rows of an analysis table kept as they are made, so that a block of models can be resumed."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from semasia.files import whole_file


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
        with contextlib.suppress(OSError, ValueError):
            return json.loads(path.read_text(encoding="utf-8"))
        row = make()
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
        return row
