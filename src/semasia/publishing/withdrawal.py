"""Take models out of what is published; nothing else of this program deletes anything there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from huggingface_hub import HfApi

from semasia.config import Collection
from semasia.config.hub import Hub
from semasia.errors import HubError, did_you_mean
from semasia.hub import Head, LocalFile, Retrying, withdraw
from semasia.inputs import BenchmarkCard
from semasia.latents.layouts import arranged
from semasia.publishing.agreement import Agreement
from semasia.publishing.card import (
    REGISTRY_PLACE,
    ModelFacts,
    SplitRows,
    card_text,
    facts_of,
    published,
)
from semasia.publishing.publication import Publication
from semasia.publishing.repositories import Card, card_there, existing, wanted_registry

Tell = Callable[[str], None]


def places_of(head: Head, models: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the files of models among those of a repository, by model; no other model."""
    wanted, found = set(models), {}
    for (model, _), files in arranged(head.files).items():
        if model in wanted:
            found[model] = found.get(model, ()) + files.places
    return found


def still_served(
    api: HfApi, hub: Hub, publication: Publication, retrying: Retrying
) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return licence and files of the models that are held back and were published before.

    Of one that this collection has no shard of, the card there says the licence.
    """
    if not hub.hold_back_licenses:
        return {}
    head = existing(api, hub.repository(publication.benchmark), retrying)
    if head is None:
        return {}
    licences = {
        model: "unstated" if facts.licence in (None, "not stated") else str(facts.licence)
        for model, facts in facts_of(card_there(head, retrying)).items()
        if model not in publication.facts
    }
    held_back = {m: why for m, why in licences.items() if why in hub.hold_back_licenses}
    held_back |= publication.held_back
    return {m: (held_back[m], places) for m, places in places_of(head, held_back).items()}


def withdraw_all(
    api: HfApi,
    collection: Collection,
    hub: Hub,
    models: Sequence[str],
    benchmarks: Sequence[str],
    *,
    dry_run: bool,
    tell: Tell,
    retrying: Retrying,
) -> None:
    """Delete models' shards from repositories, and name them no more on cards and in the registry.

    The registry's row goes where no benchmark of the collection is published of the model any more.

    Raises
    ------
    HubError
        If a model is in none of the repositories, or the Hub refuses.
    """
    heads = {name: existing(api, hub.repository(name), retrying) for name in collection.benchmarks}
    asked = {name: head for name in benchmarks if (head := heads[name]) is not None}
    there = {name: places_of(head, models) for name, head in asked.items()}
    known = {model for head in asked.values() for model in published(head.files)}
    for model in models:
        if not any(model in found for found in there.values()):
            where = ", ".join(map(hub.repository, benchmarks))
            raise HubError(f"{where}: holds no shard of {model!r}.{did_you_mean(model, known)}")
    left = {
        model
        for name, head in heads.items()
        if head is not None
        for model in places_of(head, models)
        if name not in asked
    }
    gone = [model for model in models if model not in left]
    for name, head in asked.items():
        if there[name]:
            _withdraw(api, hub, collection.benchmarks[name], head, models, dry_run, tell, retrying)
    registry = existing(api, hub.repository("registry"), retrying)
    if registry is None or not gone or dry_run:
        return
    wanted = wanted_registry(hub, None, retrying, gone)
    card = Card(wanted.card, retrying)

    def files(now: Head) -> Sequence[LocalFile]:
        return [*wanted.of(now), card.file(now)] if REGISTRY_PLACE in now.files else []

    title = f"Withdraw {', '.join(gone)}"
    commit, _ = withdraw(api, registry, lambda _: [], files, title, retrying=retrying)
    tell(f"{registry.repository}: no row of {', '.join(gone)}; commit {commit}")


def _withdraw(
    api: HfApi,
    hub: Hub,
    benchmark: BenchmarkCard,
    head: Head,
    models: Sequence[str],
    dry_run: bool,
    tell: Tell,
    retrying: Retrying,
) -> None:
    for model, places in places_of(head, models).items():
        for place in places:
            verb = "would be deleted" if dry_run else "is to be deleted"
            tell(f"{head.repository}/{place}: {verb} ({model})")
    if dry_run:
        return
    splits: dict[str, SplitRows] = {}
    agreement = Agreement(head.repository, (), retrying, splits)

    def text(places: Iterable[str], before: str) -> str:
        facts: dict[str, ModelFacts] = facts_of(before)
        return card_text(head.repository, benchmark, places, splits, facts, {})

    card = Card(text, retrying)

    def gone(now: Head) -> list[str]:
        return [place for places in places_of(now, models).values() for place in places]

    def files(now: Head) -> Sequence[LocalFile]:
        agreement.check(now)
        return [card.file(now, gone(now))]

    title = f"Withdraw {', '.join(models)}"
    commit, deleted = withdraw(api, head, gone, files, title, retrying=retrying)
    tell(f"{head.repository}: {len(deleted):,} files deleted; commit {commit}")
