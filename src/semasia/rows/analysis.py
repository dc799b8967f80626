"""An analysis of one latent space at a time: its rows of a block of shards."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from semasia.errors import SemasiaError
from semasia.latents import Shard
from semasia.latents.roots import Key
from semasia.rows.cache import RowCache
from semasia.rows.opening import Opened, key_of, open_shard_at, opened_or_why, sound

Rows = list[dict[str, Any]]


class Part(NamedTuple):
    """Rows of one shard that are made, and kept, together.

    Attributes
    ----------
    key : list of plain JSON types
        What the rows are a function of, the recipe apart.
    make : callable
        Gives them.
    """

    key: list[Any]
    make: Callable[[], Rows]


@dataclass(frozen=True)
class ShardAnalysis:
    """An analysis whose rows are a function of one shard, or of it and of what it is fitted on.

    It says what it measures. What becomes of a shard that is damaged, missing, another's or altered
    after it was written is the same for every analysis: rows without values, with a note that
    begins with the file's name; the rows of other shards are what they would be without it.

    Attributes
    ----------
    columns : mapping of type
        Names and order of the table's columns, with what each holds.
    parts : callable
        Shard, and the shard of the split that it is fitted on, why that cannot be used, or None
        where there is none; gives the parts of the table's rows.
    unreadable : callable
        Which shard it is and the error to the rows of a shard that cannot be used.
    """

    columns: Mapping[str, type]
    parts: Callable[[Shard, Opened | None], Iterable[Part]]
    unreadable: Callable[[Key, SemasiaError], Rows]

    def rows(
        self, shards: Iterable[str | Path], cache: RowCache, fits: Iterable[str | Path] = ()
    ) -> Rows:
        """Return the rows of every shard, those that the cache holds from there.

        Every shard is held to the digest of its latents once, also where rows are kept: those are
        of what was written, and the file must be too.

        Parameters
        ----------
        shards, fits : iterable of path
            ``…/BENCHMARK/MODEL/SPLIT.parquet``, and of some of their models the split that an
            analysis fits on.
        cache : RowCache
        """
        logger = logging.getLogger(__name__)
        fitted_on = {Path(path).parent.name: Path(path) for path in fits}
        rows: Rows = []
        for path in map(Path, shards):
            key = key_of(path)
            logger.info("measuring %s", key.model)
            try:
                shard = open_shard_at(path)
                fit = fitted_on.get(key.model)
                rows += self._of(shard, opened_or_why(fit) if fit else None, cache)
            except SemasiaError as error:
                logger.warning("%s is left without values: %s", key.model, error, exc_info=True)
                rows += self.unreadable(key, error)
        return rows

    def _of(self, shard: Shard, fit: Opened | None, cache: RowCache) -> Rows:
        if not isinstance(fit, SemasiaError):
            held = [shard] if fit is None else [shard, fit]
            try:
                return [
                    row
                    for part in self.parts(shard, fit)
                    for row in cache.rows(part.key, part.make, held)
                ]
            except SemasiaError:
                shard.verify()
                if fit is None or not isinstance(fit := sound(fit), SemasiaError):
                    raise
        # What can be said without the split that it is fitted on; not kept, as that may come back.
        rows = [row for part in self.parts(shard, fit) for row in part.make()]
        shard.verify()
        return rows
