"""Publish the sound shards of a collection on the Hugging Face Hub."""

from __future__ import annotations

import argparse

from semasia.commands.arguments import Commands


def add(commands: Commands) -> None:
    """Declare the command."""
    from semasia.commands.collections import add_configuration

    publish = commands.add_parser("publish", help="send sound shards to the Hugging Face Hub")
    add_configuration(publish)
    publish.add_argument("--benchmark", action="append", help="only this one; may be repeated")
    publish.add_argument(
        "--withdraw",
        action="append",
        metavar="MODEL",
        help="delete this model's shards there, and publish nothing; may be repeated",
    )
    publish.add_argument(
        "--dry-run", action="store_true", help="tell what would be sent or deleted, and its size"
    )


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit status: 1 where a shard is not sound."""
    from semasia.commands.collections import collection_of
    from semasia.publishing.whole import publish_all

    collection, _ = collection_of(options.config, options.registry)
    refused = publish_all(
        collection,
        str(options.config),
        only=options.benchmark,
        withdraw=options.withdraw or (),
        dry_run=options.dry_run,
    )
    return int(refused > 0)
