"""Rows of an analysis table kept as they are made, so that a block of models can be resumed."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from semasia.errors import StorageError
from semasia.files import whole_file
from semasia.latents import Shard

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

    def rows(
        self,
        key: Any,
        make: Callable[[], list[dict[str, Any]]],
        shards: Iterable[Shard] = (),
    ) -> list[dict[str, Any]]:
        """Return the rows stored under ``key``, making them if they are not there.

        Parameters
        ----------
        key : plain JSON types
        make : callable
        shards : iterable of Shard
            What the rows are of. Their latents are held to what was written before rows are kept,
            and before rows that were kept are given out.

        Raises
        ------
        ShardError
            If a shard's latents are not those that were written.
        """
        text = json.dumps([self._recipe, key], sort_keys=True)
        path = self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"
        stored = _stored(path)
        rows = make() if stored is None else stored
        for shard in shards:
            shard.verify()
        if stored is None:
            _store(path, rows[0] if len(rows) == 1 else {"rows": rows})
        return rows


def _store(path: Path, kept: dict[str, Any]) -> None:
    content = json.dumps(kept, ensure_ascii=False)
    try:
        with whole_file(path) as temporary:
            temporary.write_text(f"{content}\n{_digest(content)}", encoding="utf-8")
    except StorageError as error:
        # The rows are made all the same; only a later run makes them once more.
        _logger.warning("not kept for a later run: %s", error)


def _stored(path: Path) -> list[dict[str, Any]] | None:
    """Return the rows of a file: one as it is, any other number under ``rows``.

    None if there are none, or they were damaged since.
    """
    try:
        content, _, digest = path.read_text(encoding="utf-8").partition("\n")
        found = json.loads(content)
    except (OSError, ValueError, RecursionError):
        return None
    # Rows were kept without a digest before.
    if not isinstance(found, dict) or digest not in ("", _digest(content)):
        return None
    return found["rows"] if set(found) == {"rows"} else [found]


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()
