"""Shards made ahead of their turn, so that one process serves all splits of a model.

Starting a process, importing torch, building a network and reading its weights cost the same for a
thousand rows as for a hundred thousand. The workflow has a job for every shard all the same, so
that what is to be redone is known shard by shard. Between the two stands this store: a job that has
made its own shard goes on with the splits of the same model that the same run is to make, and keeps
them hidden beside where they belong; the job whose turn it is takes its shard from there in a
moment, without torch.

A made shard keeps a hard link in the store until the run ends: where a scheduler retries a group of
jobs as a whole, those that had finished have their files deleted, and take them back. On a file
system without hard links a shard that is taken leaves the store, and is made again in that case.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semasia.beside import ahead_of
from semasia.errors import StorageError
from semasia.files import whole_file
from semasia.filesystems import link_or_move
from semasia.recipes import EXTRACT
from semasia.versions import versions

_TARGETS = "targets.json"


@dataclass(frozen=True)
class Order:
    """One shard that the workflow wants.

    Attributes
    ----------
    results : Path
    benchmark, model, split : str
    """

    results: Path
    benchmark: str
    model: str
    split: str

    @property
    def data(self) -> Path:
        """The prepared images."""
        return self.results / "inputs" / self.benchmark / f"{self.split}.arrow"

    @property
    def facts(self) -> Path:
        """What is known of the prepared images."""
        return self.results / "inputs" / self.benchmark / f"{self.split}.json"

    @property
    def shard(self) -> Path:
        """The shard."""
        return self.results / "latents" / self.benchmark / self.model / f"{self.split}.parquet"

    @property
    def timings(self) -> Path:
        """Where the time of this shard went."""
        return self.results / "timings" / self.benchmark / self.model / f"{self.split}.json"

    @property
    def store(self) -> Path:
        """The hidden folder beside the shard."""
        return ahead_of(self.shard)

    def made(self, key: str) -> Path:
        """Return the path of the shard of a key in the store."""
        return self.store / f"{key}.parquet"


def key_of(
    order: Order,
    encoder: Mapping[str, Any],
    preprocess: str,
    precision: str,
    weights: str | None = None,
) -> str:
    """Return a digest of what decides a shard's values, told without building the network.

    Parameters
    ----------
    order : Order
    encoder : mapping
        The model's card, without what has its default value.
    preprocess, precision : str
    weights : str, optional
        Digest of the files of weights that are the user's own.

    Raises
    ------
    OSError
        If the inputs are not prepared.
    """
    content = [
        EXTRACT,
        {k: v for k, v in encoder.items() if k != "notes"},
        preprocess,
        precision,
        hashlib.sha256(order.facts.read_bytes()).hexdigest(),
        versions(),
        weights,
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def take(order: Order, key: str) -> bool:
    """Put a shard that was made ahead, and its timings, where they belong; tell whether it was."""
    made = order.made(key)
    try:
        row = made.with_suffix(".json").read_bytes()
        if not made.exists():
            return False
    except OSError:
        return False
    with whole_file(order.timings) as temporary:
        temporary.write_bytes(row)
    with whole_file(order.shard) as temporary:
        link_or_move(made, temporary)
    return True


def keep(order: Order, key: str, row: Mapping[str, Any]) -> None:
    """Note the timings of a shard that was made ahead; only then can it be taken."""
    write_row(order.made(key).with_suffix(".json"), row)


def write_row(path: Path, row: Mapping[str, Any]) -> None:
    """Write the timings of a shard."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(row) + "\n", encoding="utf-8")


def keep_link(order: Order, key: str) -> None:
    """Keep a link of a finished shard, where the file system has links."""
    made = order.made(key)
    with contextlib.suppress(OSError, StorageError):
        made.parent.mkdir(exist_ok=True)
        made.unlink(missing_ok=True)
        os.link(order.shard, made)
        with whole_file(made.with_suffix(".json")) as temporary:
            temporary.write_bytes(order.timings.read_bytes())


def note_targets(run: Path, targets: Iterable[tuple[str, str, str]]) -> None:
    """Note the (benchmark, model, split) that a run is to make; called once, before any job."""
    splits: dict[str, list[tuple[str, str]]] = {}
    for benchmark, model, split in targets:
        splits.setdefault(model, []).append((benchmark, split))
    run.mkdir(parents=True, exist_ok=True)
    with whole_file(run / _TARGETS) as temporary:
        temporary.write_text(json.dumps(splits), encoding="utf-8")


def others(run: Path, order: Order) -> list[Order]:
    """Return the other splits of an order's model that the run is to make."""
    try:
        splits = json.loads((run / _TARGETS).read_text(encoding="utf-8"))[order.model]
    except (OSError, ValueError, KeyError):
        return []
    found = [Order(order.results, b, order.model, s) for b, s in splits]
    return [o for o in found if o != order]


def sweep(results: Path, targets: Iterable[tuple[str, str, str]]) -> None:
    """Empty the store of every target whose shard is there: nobody will take it any more."""
    splits: dict[tuple[str, str], list[str]] = {}
    for benchmark, model, split in targets:
        splits.setdefault((benchmark, model), []).append(split)
    for (benchmark, model), found in splits.items():
        try:
            # Listed once per model and benchmark: there are tens of thousands of targets.
            names = {e.name for e in os.scandir(results / "latents" / benchmark / model)}
        except OSError:
            continue
        for order in (Order(results, benchmark, model, split) for split in found):
            if order.store.name in names and order.shard.name in names:
                shutil.rmtree(order.store, ignore_errors=True)
