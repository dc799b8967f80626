"""What of a collection is to be published of a benchmark: its sound shards, but those held back."""

from __future__ import annotations

from collections.abc import Collection as Names
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from semasia.audit.progress import Progress
from semasia.audit.rows_across_models import compare_rows
from semasia.config import Collection, Target
from semasia.hub import LocalFile
from semasia.latents.layouts import published_place
from semasia.publishing.card import ModelFacts
from semasia.publishing.receipts import Receipt, read_receipts, receipts_of, write_receipts


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
    collection: Collection,
    benchmark: str,
    hold_back: Names[str] = (),
    *,
    progress: Progress | None = None,
) -> Publication:
    """Choose what is published of the shards that a collection has of a benchmark.

    A shard is read whole, unless a receipt under ``verified/`` says that it was, and has not
    changed since. Those that had to be read get a receipt there.

    Parameters
    ----------
    collection : Collection
    benchmark : str
    hold_back : collection of str
        Licences.
    progress : Progress, optional
        Told after every shard that is read.
    """
    results = Path(collection.config.results)
    latents = results / "latents" / benchmark
    there = {
        str(path): target
        for target in collection.targets()
        if target.benchmark == benchmark
        and (path := latents / target.model / f"{target.split}.parquet").is_file()
    }
    receipts = _receipts(results / "verified" / benchmark, there, progress)
    refused = _refused(receipts.values())
    files: list[LocalFile] = []
    facts: dict[str, ModelFacts] = {}
    held_back: dict[str, str] = {}
    for path, (_, model, split) in there.items():
        if path in refused:
            continue
        receipt = receipts[path]
        licence = receipt.licence or "unstated"
        if licence in hold_back:
            held_back[model] = licence
            continue
        facts[model] = ModelFacts(licence, receipt.width)
        where = published_place(model, split)
        files.append(LocalFile(where, Path(path), receipt.size, receipt.sha256))
    rows = {split: collection.rows(benchmark, split) for split in collection.splits(benchmark)}
    return Publication(benchmark, tuple(files), rows, facts, held_back, refused)


def _receipts(
    folder: Path, there: dict[str, Target], progress: Progress | None
) -> dict[str, Receipt]:
    known = read_receipts(folder)
    if unread := [Path(path) for path in there if path not in known]:
        fresh = receipts_of(unread, progress)
        # What other files of receipts say stays theirs; what holds no more is left out.
        own = folder / "by-command.json"
        kept = read_receipts(own) | {receipt.path: receipt for receipt in fresh}
        write_receipts(list(kept.values()), own)
        known |= {receipt.path: receipt for receipt in fresh}
    return {path: known[path] for path in there if path in known}


def _refused(receipts: Iterable[Receipt]) -> dict[str, str]:
    """Return why shards are not sound: by themselves, or beside those of other models."""
    refused = {r.path: r.problem for r in receipts if r.problem is not None}
    records = [receipt.record() for receipt in receipts if receipt.path not in refused]
    compare_rows(records)
    told = {str(r.path): r.findings[0].message for r in records if r.findings}
    return {**refused, **told}
