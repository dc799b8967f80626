"""What of a collection is to be published of a benchmark: its sound shards, but those held back."""

from __future__ import annotations

from collections.abc import Collection as Names
from dataclasses import dataclass
from pathlib import Path

from semasia.audit import verify
from semasia.config import Collection
from semasia.errors import HubError
from semasia.hub.card import ModelFacts, place
from semasia.hub.files import LocalFile
from semasia.latents import Shard


@dataclass(frozen=True)
class Publication:
    """One benchmark's shards, checked.

    Attributes
    ----------
    benchmark : str
    files : tuple of LocalFile
        Sound shards of models that are not held back, by model and split.
    rows : dict of int
        Of each split.
    facts : dict of ModelFacts
    held_back : dict of str
        Licence by model.
    refused : dict of str
        Why a shard is not sound, by path.
    """

    benchmark: str
    files: tuple[LocalFile, ...]
    rows: dict[str, int]
    facts: dict[str, ModelFacts]
    held_back: dict[str, str]
    refused: dict[str, str]


def publication_of(
    collection: Collection, benchmark: str, hold_back: Names[str] = ()
) -> Publication:
    """Check the shards that a collection has of a benchmark, and choose what is published.

    Every shard is read twice: by the audit, and for its SHA-256.

    Parameters
    ----------
    collection : Collection
    benchmark : str
    hold_back : collection of str
        Licences.

    Raises
    ------
    HubError
        If there is no sound shard.
    """
    latents = Path(collection.config.results) / "latents" / benchmark
    wanted = [
        (target.model, target.split, latents / target.model / f"{target.split}.parquet")
        for target in collection.targets()
        if target.benchmark == benchmark
    ]
    there = {path: (model, split) for model, split, path in wanted if path.is_file()}
    if not there:
        raise HubError(
            f"{latents}: there is no shard of {benchmark!r} to publish. Make them first."
        )
    audit = verify(there)
    refused = {str(finding.path): finding.message for finding in audit.findings}
    files: list[LocalFile] = []
    facts: dict[str, ModelFacts] = {}
    held_back: dict[str, str] = {}
    for path, (model, split) in there.items():
        if str(path) in refused:
            continue
        encoder = Shard(path).provenance["encoder"]
        if encoder["license"] in hold_back:
            held_back[model] = encoder["license"]
            continue
        facts[model] = ModelFacts(encoder["license"], encoder["width"])
        files.append(LocalFile.of(place(model, split), path))
    if not files and not held_back:
        first = next(iter(refused.items()))
        raise HubError(f"no shard of {benchmark!r} is sound: {first[0]}: {first[1]}")
    rows = {split: collection.rows(benchmark, split) for split in collection.splits(benchmark)}
    return Publication(benchmark, tuple(files), rows, facts, held_back, refused)
