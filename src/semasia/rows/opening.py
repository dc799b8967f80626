"""Open the shards of an analysis: each is what its path says, or there is a reason why not."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from semasia.errors import SemasiaError
from semasia.latents import Shard
from semasia.latents.checks import check_asked_for
from semasia.latents.roots import Key

# A shard, or why it cannot be used.
Opened = Shard | SemasiaError

_LATENTS = "latents"


def key_of(path: Path) -> Key:
    """Return the benchmark, model and split that ``…/BENCHMARK/MODEL/SPLIT.parquet`` is of."""
    return Key(path.parent.parent.name, path.parent.name, path.stem)


def open_shard_at(path: Path) -> Shard:
    """Open a shard; where it lies in a collection, hold it to its place.

    Whatever takes all of its blocks has the latents that were written, or an error.

    Parameters
    ----------
    path : Path
        ``latents/BENCHMARK/MODEL/SPLIT.parquet`` of a results folder, or a file elsewhere, which
        may be of any model.

    Raises
    ------
    ShardError, RowMismatchError
        As :class:`semasia.latents.Shard`, and if it is another's shard.
    """
    shard = Shard(path, held=True)
    if path.absolute().parts[-4:-3] == (_LATENTS,):
        check_asked_for(path, shard.provenance, *key_of(path))
    return shard


def opened_or_why(path: str | Path) -> Opened:
    """Open a shard, or log and return why it cannot be used."""
    try:
        return open_shard_at(Path(path))
    except SemasiaError as error:
        logging.getLogger(__name__).warning("not used: %s", error)
        return error


def open_by_model(paths: Iterable[str | Path]) -> dict[str, Opened]:
    """Open the shards of one split, by the model that each lies under."""
    return {Path(path).parent.name: opened_or_why(path) for path in paths}


def sound(opened: Opened) -> Opened:
    """Return a shard whose latents are those that were written, or why it cannot be used.

    All of it is read, unless it was in this run.
    """
    if not isinstance(opened, Shard):
        return opened
    try:
        opened.verify()
    except SemasiaError as error:
        logging.getLogger(__name__).warning("not used: %s", error)
        return error
    return opened
