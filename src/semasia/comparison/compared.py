"""The shards of one split that are compared, and why some take no part."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from semasia.comparison.pairing import Anchor, anchored_embeddings, paired_rows, reference_of
from semasia.errors import ComparisonError, SemasiaError, ShardError
from semasia.geometry.labelled import check_class_names
from semasia.latents import Shard
from semasia.rows import Opened, key_of, open_by_model, sound


class ComparedShards:
    """Shards of one split by model, each opened once, and the rows that most of them have.

    What becomes of a shard that is damaged, missing, another's or altered after it was written is
    the same for every comparison: rows without values for its pairs, with a note that names the
    model and the file; the rows of other pairs are what they would be without it.

    Parameters
    ----------
    paths : iterable of path
        ``…/BENCHMARK/MODEL/SPLIT.parquet``, all of one split.

    Attributes
    ----------
    opened : dict of Shard or SemasiaError
        By model.
    reference : Shard or None
        One that has the rows that most have; None if no shard can be read.
    """

    def __init__(self, paths: Iterable[str | Path]) -> None:
        files = [Path(path) for path in paths]
        self._first = files[0] if files else None
        self.opened: dict[str, Opened] = open_by_model(files)
        self.reference = reference_of(self.opened.values())

    @cached_property
    def place(self) -> dict[str, Any]:
        """Benchmark and split, of the shards or, where none can be read, of where they lie."""
        if self.reference is not None:
            known = self.reference.provenance["benchmark"]
            return {"benchmark": known["name"], "split": known["split"]}
        if self._first is None:
            return {"benchmark": None, "split": None}
        key = key_of(self._first)
        return {"benchmark": key.benchmark, "split": key.split}

    def anchor(self, rows: int | None) -> Anchor | None:
        """Choose the inputs that are compared, as :meth:`Anchor.of`; None without a shard."""
        return None if self.reference is None else Anchor.of(self.reference.ids, rows)

    def shard(self, model: str) -> Shard:
        """Return a model's shard, its rows held to those that most have.

        Raises
        ------
        SemasiaError
            If it cannot be used.
        """
        found = self.opened.get(model)
        if found is None:
            raise _absent(model)
        if not isinstance(found, Shard):
            raise found
        if self.reference is not None:
            paired_rows(self.reference, found)
        return found

    def embeddings(self, model: str, anchor: Anchor | None = None) -> np.ndarray:
        """Return a model's latents, all or those on an anchor, held to what was written.

        Raises
        ------
        SemasiaError
            If they cannot be used; the model takes no part in anything that follows.
        """
        try:
            shard = self.shard(model)
            if anchor is None or self.reference is None:
                return shard.embeddings()
            return anchored_embeddings(shard, anchor, self.reference)
        except SemasiaError as error:
            logging.getLogger(__name__).warning("%s takes no part: %s", model, error)
            self.opened[model] = error
            raise

    def sound(self, *models: str) -> bool:
        """Return whether the latents of all these models are those that were written."""
        for model in models:
            if model in self.opened:
                self.opened[model] = sound(self.opened[model])
        return all(isinstance(self.opened.get(model), Shard) for model in models)

    def why(self, *models: str) -> str | None:
        """Return why models take no part, each named once; None where all do."""
        found = {model: self.opened.get(model) or _absent(model) for model in models}
        return told({m: one for m, one in found.items() if isinstance(one, SemasiaError)}, models)


def _absent(model: str) -> ShardError:
    return ShardError(f"no latents of {model!r} are among those compared.")


def told(failed: Mapping[str, SemasiaError], models: Iterable[str]) -> str | None:
    """Return why models take no part, each named once; None where all do."""
    named = dict.fromkeys(models)
    return " ".join(f"{model}: {failed[model]}" for model in named if model in failed) or None


def check_splits(fit: Shard, score: Shard) -> None:
    """Raise an error that names both files if two splits of one model do not go together.

    Raises
    ------
    ComparisonError
        If their vectors differ in length.
    ShardError
        If a class number stands for another class in each.
    """
    for column in fit.label_columns:
        check_class_names(fit, score, column)
    if fit.width != score.width:
        raise ComparisonError(
            f"{fit.path} has vectors of {fit.width}, {score.path} of {score.width}; make both "
            "again."
        )
