"""Where shards lie in a repository: as Semasia publishes them, and as the original release does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from semasia.errors import ShardError, did_you_mean

PUBLISHED = re.compile(r"data/(?P<model>[^/]+)/(?P<split>[^/]+)\.parquet")
RELEASED = re.compile(
    r"(?:data/)?(?P<split>[^/]+)/(?P<model>[^/]+)/part-(?P<part>\d+)\.parquet", re.ASCII
)


class Found(NamedTuple):
    """The files of one model on one split.

    Attributes
    ----------
    places : tuple of str
        Paths from the root: one, or the original release's parts in their order.
    released : bool
        Whether they are the original release's.
    """

    places: tuple[str, ...]
    released: bool


def published_place(model: str, split: str) -> str:
    """Return where a shard stands in a repository of its benchmark."""
    return f"data/{model}/{split}.parquet"


def arranged(places: Iterable[str]) -> dict[tuple[str, str], Found]:
    """Return the shards among the files of a repository, by model and split.

    Where a model's split is there in both layouts, Semasia's counts, which has provenance.
    """
    shards: dict[tuple[str, str], Found] = {}
    parts: dict[tuple[str, str], dict[int, str]] = {}
    for place in sorted(places):
        if known := PUBLISHED.fullmatch(place):
            shards[known["model"], known["split"]] = Found((place,), released=False)
        elif known := RELEASED.fullmatch(place):
            parts.setdefault((known["model"], known["split"]), {})[int(known["part"])] = place
    for key, numbered in parts.items():
        found = Found(tuple(numbered[n] for n in sorted(numbered)), released=True)
        shards.setdefault(key, found)
    return dict(sorted(shards.items()))


def one_of(
    shards: Mapping[tuple[str, str], Found], model: str, split: str, repository: object
) -> Found:
    """Return the files of one of the shards of a repository.

    Raises
    ------
    ShardError
        If it has none; the message offers near names.
    """
    if found := shards.get((model, split)):
        return found
    models = sorted({there for there, _ in shards})
    splits = ", ".join(s for there, s in shards if there == model)
    told = f"has {splits}" if splits else f"has {len(models):,} models"
    raise ShardError(
        f"{repository}: there is no shard of {model!r}, split {split!r}; it {told}."
        f"{did_you_mean(model, models) if not splits else ''}"
    )


def benchmark_named(repository: str) -> str:
    """Return the benchmark that a repository's name says: what follows ``semasia-``."""
    return repository.rpartition("/")[2].removeprefix("semasia-")
