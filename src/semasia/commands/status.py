"""What of a collection is done, failed, running or not started."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from semasia.commands.arguments import Commands


def add(commands: Commands) -> None:
    """Declare the command."""
    from semasia.commands.collections import add_configuration

    status = commands.add_parser("status", help="what of a collection is done, and what failed")
    add_configuration(status)
    status.add_argument("--failures", type=int, default=20, help="how many to list")
    shown = status.add_mutually_exclusive_group()
    shown.add_argument("--format", choices=("table", "csv", "json"), default="table")
    shown.add_argument(
        "--missing",
        action="store_true",
        help="only the paths of the shards that are not done, one a line: targets for snakemake",
    )


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from semasia.commands.collections import collection_of
    from semasia.overview import coverage_frame, coverage_lines, missing_shards, states_of

    collection, _ = collection_of(options.config, options.registry)
    if options.missing:
        for path in missing_shards(collection):
            print(path)
        return 0
    states = list(states_of(collection, Path(collection.config.results)))
    if options.format == "csv":
        print(coverage_frame(states).write_csv(), end="")
    elif options.format == "json":
        print(json.dumps(coverage_frame(states).to_dicts(), indent=1, ensure_ascii=False))
    else:
        print("\n".join(coverage_lines(states, failures=options.failures)))
    return 0
