"""Which models take part in a transfer: their shards, and rows for those that do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from semasia.comparison.pairing import paired_rows, reference_of
from semasia.comparison.transfer import TRANSFER_COLUMNS, ModelLatents
from semasia.errors import SemasiaError
from semasia.latents import Shard


def usable(
    fit: Mapping[str, Shard | SemasiaError], score: Mapping[str, Shard | SemasiaError]
) -> tuple[dict[str, ModelLatents], dict[str, SemasiaError]]:
    """Return the latents of models whose shards have the rows that most have, and why not.

    Parameters
    ----------
    fit, score : mapping of Shard or SemasiaError
        By model, the same in both: shards of the training and of the test split, or why there is
        none.

    Returns
    -------
    dict of ModelLatents
    dict of SemasiaError
        Of the other models.

    Raises
    ------
    SemasiaError
        If there is no shard of a split at all.
    """
    references = [reference_of(shards.values()) for shards in (fit, score)]
    latents: dict[str, ModelLatents] = {}
    failed: dict[str, SemasiaError] = {}
    for model in fit:
        try:
            found = []
            for shard, reference in zip((fit[model], score[model]), references, strict=True):
                if not isinstance(shard, Shard):
                    raise shard
                paired_rows(reference, shard)
                found.append(shard.embeddings())
            latents[model] = ModelLatents(*found)
        except SemasiaError as error:
            failed[model] = error
    return latents, failed


def rows_without(
    failed: Mapping[str, SemasiaError], models: Iterable[str], known: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the rows of models that could not be read, with a note and no numbers.

    Parameters
    ----------
    failed : mapping of SemasiaError
    models : iterable of str
        All, those included.
    known : mapping of str
        As :func:`transfer_rows`.
    """
    everyone = list(models)
    empty: dict[str, Any] = dict.fromkeys(TRANSFER_COLUMNS) | dict(known)
    rows = []
    for home in everyone:
        for away in everyone:
            if why := " ".join(f"{m}: {failed[m]}" for m in {home, away} if m in failed):
                kinds = ("own",) if home == away else ("zero_shot", "aligned")
                pair = empty | {"probe_model": home, "latents_model": away, "note": why}
                rows += [pair | {"kind": kind} for kind in kinds]
    return rows
