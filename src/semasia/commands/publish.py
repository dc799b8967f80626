"""Publish the sound shards of a collection on the Hugging Face Hub."""

from __future__ import annotations

import argparse
import sys

from semasia.commands.arguments import Commands


def add(commands: Commands) -> None:
    """Declare the command."""
    from semasia.commands.collections import add_configuration

    publish = commands.add_parser("publish", help="send sound shards to the Hugging Face Hub")
    add_configuration(publish)
    publish.add_argument("--benchmark", action="append", help="only this one; may be repeated")
    publish.add_argument(
        "--dry-run", action="store_true", help="tell what would be sent, and its size"
    )


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit status: 1 where a shard is not sound."""
    from huggingface_hub import HfApi

    from semasia.commands.collections import collection_of
    from semasia.errors import ConfigError, did_you_mean
    from semasia.hub.publication import publication_of
    from semasia.hub.publishing import (
        difference,
        publish,
        publish_collection,
        repository_of,
        signed_in,
    )
    from semasia.hub.retrying import Retrying

    collection, _ = collection_of(options.config, options.registry)
    hub = collection.config.hub
    if hub is None:
        raise ConfigError(
            f"{options.config}: it has no `hub:`; give it a `namespace` to publish under."
        )
    asked = options.benchmark or list(collection.benchmarks)
    for name in asked:
        if name not in collection.benchmarks:
            near = did_you_mean(name, collection.benchmarks)
            raise ConfigError(f"{options.config}: it has no benchmark {name!r}.{near}")
    api, retrying = HfApi(library_name="semasia"), Retrying()
    if not options.dry_run:
        signed_in(api, retrying)
    status, done = 0, {}
    for name in asked:
        publication = publication_of(collection, name, hub.hold_back_licenses)
        for path, why in publication.refused.items():
            status = 1
            print(f"not published: {path}: {why}", file=sys.stderr)
        for model, licence in publication.held_back.items():
            print(f"held back: {model} ({licence})", file=sys.stderr)
        repository = repository_of(hub, name)
        if options.dry_run:
            would = difference(api, repository, publication.files, retrying)
            for file in would.missing:
                print(f"{file.size:>14,} {repository}/{file.place}")
            print(
                f"{repository}: {len(would.missing):,} files, {would.bytes / 1e9:.3f} GB to send; "
                f"{would.present:,} are there{'' if would.exists else '; it would be created'}"
            )
            continue
        pushed = publish(api, hub, publication, collection.benchmarks[name], retrying)
        done[repository] = collection.benchmarks[name].title
        print(
            f"{repository}: {len(pushed.sent):,} files sent, {pushed.present:,} were there; "
            f"commit {pushed.commit}"
        )
    if done:
        publish_collection(api, hub, done, retrying)
    return status
