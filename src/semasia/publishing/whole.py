"""Publish a collection: each benchmark, the registry, and the collection that names them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from huggingface_hub import HfApi

from semasia.audit.progress import Progress
from semasia.config import Collection
from semasia.errors import ConfigError, HubError, did_you_mean
from semasia.hub import Retrying
from semasia.publishing.publication import publication_of
from semasia.publishing.repositories import (
    Wanted,
    difference,
    publish,
    publish_collection,
    signed_in,
    wanted_of,
    wanted_registry,
)
from semasia.publishing.withdrawal import still_served, withdraw_all


def publish_all(
    collection: Collection,
    file: str,
    *,
    only: Sequence[str] | None = None,
    withdraw: Sequence[str] = (),
    dry_run: bool = False,
    tell: Callable[[str], None] = print,
    retrying: Retrying | None = None,
) -> int:
    """Publish what a collection has, or tell what would be sent.

    Parameters
    ----------
    collection : Collection
    file : str
        Path of its configuration, for messages.
    only : sequence of str, optional
        Benchmarks; None publishes all.
    withdraw : sequence of str
        Models to delete there; nothing is published then.
    dry_run : bool
        Send nothing.
    tell : callable
        Takes each line for a person.
    retrying : Retrying, optional

    Returns
    -------
    int
        Shards that were not published because they are not sound.

    Raises
    ------
    ConfigError
        If there is no ``hub`` in the configuration, or a benchmark is not in it.
    HubError
        If there is nothing to publish, or the Hub refuses.
    """
    hub = collection.config.hub
    if hub is None:
        raise ConfigError(f"{file}: it has no `hub:`; give it a `namespace` to publish under.")
    for name in only or ():
        if name not in collection.benchmarks:
            near = did_you_mean(name, collection.benchmarks)
            raise ConfigError(f"{file}: it has no benchmark {name!r}.{near}")
    api, calling = HfApi(library_name="semasia"), retrying or Retrying()
    if not dry_run:
        signed_in(api, calling)
    if withdraw:
        withdraw_all(
            api,
            collection,
            hub,
            withdraw,
            tuple(only or collection.benchmarks),
            dry_run=dry_run,
            tell=tell,
            retrying=calling,
        )
        return 0
    refused, found, done = 0, False, {}

    def bring(wanted: Wanted) -> None:
        if dry_run:
            _tell_difference(api, wanted, calling, tell)
            return
        pushed = publish(api, hub, wanted, calling)
        done[wanted.repository] = wanted.title
        tell(
            f"{wanted.repository}: {len(pushed.sent):,} files sent, {pushed.present:,} were there; "
            f"commit {pushed.commit}"
        )

    for name in only or collection.benchmarks:
        publication = publication_of(
            collection,
            name,
            hub.hold_back_licenses,
            progress=Progress(),
        )
        refused += len(publication.refused)
        for path, why in publication.refused.items():
            tell(f"not published: {path}: {why}")
        served = still_served(api, hub, publication, calling)
        for model, licence in publication.held_back.items():
            if model not in served:
                tell(f"held back: {name} {model} ({licence})")
        for model, (licence, places) in served.items():
            tell(
                f"held back, but still served: {name} {model} ({licence}): {hub.repository(name)} "
                f"has {', '.join(places)}. Delete them there with `semasia publish --config {file} "
                f"--benchmark {name} --withdraw {model}`."
            )
        if publication.files:
            found = True
            bring(wanted_of(hub, publication, collection.benchmarks[name], calling))
        else:
            tell(f"{name}: there is no shard to publish.")
    if not found:
        latents = Path(collection.config.results, "latents")
        raise HubError(
            f"{latents}: there is no sound shard of {', '.join(only or collection.benchmarks)}. "
            "Make them first: `snakemake shards`."
        )
    table = Path(collection.config.results, "tables", "registry.parquet")
    if table.is_file():
        bring(wanted_registry(hub, table, calling))
    else:
        tell(f"not published: {table}: it is not made yet.")
    if done:
        publish_collection(api, hub, done, calling)
    return refused


def _tell_difference(
    api: HfApi, wanted: Wanted, retrying: Retrying, tell: Callable[[str], None]
) -> None:
    would = difference(api, wanted, retrying)
    for file in would.missing:
        tell(f"{file.size:>15,} {wanted.repository}/{file.place}")
    tell(
        f"{wanted.repository}: {len(would.missing):,} files, {would.bytes / 1e9:.3f} GB to send; "
        f"{would.present:,} are there{'' if would.exists else '; it would be created'}"
    )
