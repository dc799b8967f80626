"""A block of shards, one after another: rows of those that can be read, remarks on the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from semasia.errors import SemasiaError

Rows = list[dict[str, Any]]


def rows_of_block(
    shards: Iterable[str | Path],
    make: Callable[[Path], Rows],
    unreadable: Callable[[str, SemasiaError], Rows],
) -> Rows:
    """Return the rows of every shard; one that cannot be used takes nothing from the others.

    Parameters
    ----------
    shards : iterable of path
        ``…/MODEL/SPLIT.parquet``.
    make : callable
        Path to rows.
    unreadable : callable
        Model and error to the rows of a shard that ``make`` failed on with an error that a user can
        act on.
    """
    logger = logging.getLogger(__name__)
    rows: Rows = []
    for path in map(Path, shards):
        model = path.parent.name
        logger.info("measuring %s", model)
        try:
            rows += make(path)
        except SemasiaError as error:
            logger.exception("%s is left without values", model)
            rows += unreadable(model, error)
    return rows
