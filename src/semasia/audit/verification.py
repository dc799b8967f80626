"""The whole audit: find shards, check each, compare them, recompute rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from semasia.audit.class_names import compare_class_names
from semasia.audit.discovery import Found, find_shards
from semasia.audit.finding import Audit, ShardRecord
from semasia.audit.known_cards import KnownCards
from semasia.audit.progress import Progress
from semasia.audit.recompute import recompute as recompute_rows
from semasia.audit.references import InputsAtHand, KnownWidth, registry_widths
from semasia.audit.released_checks import check_released
from semasia.audit.rows_across_models import compare_rows
from semasia.audit.shard_checks import check_shard
from semasia.errors import SemasiaError
from semasia.registry.location import registry_folder


def verify(
    paths: Iterable[Path],
    *,
    recompute: int = 0,
    config: Path | None = None,
    inputs: Path | None = None,
    registry: Path | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Audit:
    """Check every shard under some paths; a damaged one never stops the others.

    One shard is read at a time, in blocks of some MiB.

    Parameters
    ----------
    paths : iterable of Path
        Shards, results folders, or published collections.
    recompute : int
        Rows to draw at random from the sound shards and to compute again.
    config : Path, optional
        Configuration whose model cards networks are built from.
    inputs : Path, optional
        Folder of prepared inputs; by default ``inputs/`` beside ``latents/``.
    registry : Path, optional
        Folder of the registry; by default that of this repository, if it is there.
    seed : int
        Of the draw.
    progress : Progress, optional
        Told after every shard.

    Returns
    -------
    Audit

    Raises
    ------
    ConfigError, CardError
        If the configuration or the registry that was asked for cannot be read.
    """
    audit = Audit()
    tell = progress or Progress()
    folder = registry or _own_registry()
    widths = _widths(folder, registry is not None, audit)
    cards = KnownCards(config, folder) if recompute or config else None
    at_hand = InputsAtHand(inputs)
    found, audit.loose = find_shards(paths)
    read = 0
    for done, shard in enumerate(found, 1):
        audit.records.append(_checked(shard, at_hand, widths))
        read += shard.bytes
        tell("shards checked", done, len(found), f", {read / 1e9:.2f} GB")
    compare_rows(audit.records)
    compare_class_names(audit.records)
    if recompute and cards:
        audit.recomputation = recompute_rows(
            audit.records, recompute, seed=seed, cards=cards, inputs=at_hand, progress=tell
        )
    audit.loose += at_hand.problems
    return audit


def _checked(shard: Found, inputs: InputsAtHand, widths: Mapping[str, KnownWidth]) -> ShardRecord:
    try:
        if shard.layout == "released":
            return check_released(shard, widths)
        return check_shard(shard, inputs, widths)
    except Exception as error:  # whatever rotten bytes do to a decoder, the others are checked
        record = ShardRecord(shard.path, shard.files, shard.layout)
        if shard.place:
            record.benchmark = shard.place.benchmark or "?"
            record.model, record.split = shard.place.model, shard.place.split
        record.note("file", f"cannot be checked ({type(error).__name__}: {error}).")
        return record


def _own_registry() -> Path | None:
    try:
        return registry_folder()
    except SemasiaError:
        return None


def _widths(folder: Path | None, asked: bool, audit: Audit) -> dict[str, KnownWidth]:
    try:
        if folder is not None:
            return registry_widths(folder)
    except SemasiaError as error:
        if asked:
            raise
        audit.notes.append(f"widths are not held to a registry: {error}")
        return {}
    audit.notes.append("widths are not held to a registry: there is none here; give --registry.")
    return {}
