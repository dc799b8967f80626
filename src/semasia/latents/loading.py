"""Load the latents of one model on one split, wherever they lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from semasia.errors import ShardError
from semasia.inputs import PreparedSplit
from semasia.latents.checks import check_asked_for
from semasia.latents.reader import Shard
from semasia.latents.released import Released
from semasia.latents.roots import Key, root_of


@dataclass(frozen=True)
class Latents:
    """The latents of one model on one split, in memory.

    Attributes
    ----------
    ids : (n,) uint32 array
    labels : dict of (n,) int64 arrays
    label_names : dict
        Class names per label column, or None.
    embeddings : (n, d) float32 array
    provenance : dict
    """

    ids: np.ndarray
    labels: dict[str, np.ndarray]
    label_names: dict[str, list[str] | None]
    embeddings: np.ndarray
    provenance: dict[str, Any]


def shard_path(benchmark: str, model: str, split: str, root: Path) -> Path:
    """Return where a collection keeps a shard."""
    return root / "latents" / benchmark / model / f"{split}.parquet"


def load(benchmark: str, model: str, split: str, *, root: str | Path = "results") -> Latents:
    """Load the latents of one model on one split of a benchmark.

    Parameters
    ----------
    benchmark, model, split : str
    root : path or str
        The results folder of a collection; or the repository of its benchmark,
        ``hf://datasets/NAMESPACE/semasia-BENCHMARK``, with ``@REVISION`` behind it where another
        than the newest commit is meant, or a folder that it was fetched to. What comes from the Hub
        is kept in its client's cache. The original release's layout is read too; its files say
        nothing of what made them, and the digests in their provenance are of what was read.

    Raises
    ------
    ShardError
        If there is no such shard, it is damaged, or it is another's.
    RowMismatchError
        If its rows are not the benchmark's.
    HubError, HubUnreachableError
        If the Hub refuses, or does not answer.
    """
    where = root_of(root)
    paths, released = where.files(Key(benchmark, model, split))
    if released:
        found = Released(paths, model, where.card())
        return Latents(
            ids=found.ids,
            labels=found.labels,
            label_names=found.label_names,
            embeddings=found.embeddings(),
            provenance=found.provenance(benchmark, split, {"root": str(where)}, {}),
        )
    shard = _opened(paths[0], Key(benchmark, model, split), root)
    return Latents(
        ids=shard.ids,
        labels=shard.labels,
        label_names=shard.label_names,
        embeddings=shard.embeddings(),
        provenance=shard.provenance,
    )


def open_shard(benchmark: str, model: str, split: str, *, root: str | Path = "results") -> Shard:
    """Open a shard of a collection, held to the prepared benchmark where that is at hand.

    Parameters
    ----------
    benchmark, model, split : str
    root : path or str
        As for :func:`load`.

    Raises
    ------
    ShardError
        If there is no such shard, it is damaged, it is another's, or it is the original release's,
        which has no provenance to be held to.
    RowMismatchError
        If its rows are not the benchmark's.
    HubError, HubUnreachableError
        If the Hub refuses, or does not answer.
    """
    key = Key(benchmark, model, split)
    paths, released = root_of(root).files(key)
    if released:
        raise ShardError(
            f"{paths[0]}: is of the original release, which has no provenance; read it with "
            "`semasia.load`."
        )
    return _opened(paths[0], key, root)


def _opened(path: Path, key: Key, root: str | Path) -> Shard:
    prepared = Path(root, "inputs", key.benchmark)
    data, facts = prepared / f"{key.split}.arrow", prepared / f"{key.split}.json"
    expected = PreparedSplit.open(data, facts) if data.is_file() and facts.is_file() else None
    shard = Shard(path, expected)
    check_asked_for(shard.path, shard.provenance, *key)
    return shard
