"""Check a configuration against the registry."""

from __future__ import annotations

import argparse
from pathlib import Path

from semasia.commands.arguments import Commands


def add(commands: Commands) -> None:
    """Declare the command."""
    check = commands.add_parser("check", help="check a configuration against the registry")
    check.add_argument("config", type=Path)
    check.add_argument("--registry", type=Path, default=None)


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from semasia.commands.collections import collection_of

    collection, _ = collection_of(options.config, options.registry)
    for benchmark in collection.benchmarks:
        for split in collection.splits(benchmark):
            rows = collection.rows(benchmark, split)
            whole = collection.benchmarks[benchmark].splits[split].rows
            of = "" if rows == whole else f" of {whole:,}"
            print(f"{benchmark}/{split}: {len(collection.models):,} models × {rows:,}{of} rows")
    print(f"{sum(1 for _ in collection.targets()):,} shards")
    return 0
