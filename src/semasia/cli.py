"""The console command ``semasia``."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
from pathlib import Path

from semasia.errors import SemasiaError


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(prog="semasia", description="Datasets of latent vectors.")
    version = importlib.metadata.version("semasia")
    parser.add_argument("--version", action="version", version=f"semasia {version}")
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("show", help="check one shard and print what it holds")
    show.add_argument("shard", type=Path)
    check = commands.add_parser("check", help="check a configuration against the registry")
    check.add_argument("config", type=Path)
    check.add_argument("--registry", type=Path, default=Path("registry"))
    options = parser.parse_args(arguments)
    try:
        if options.command == "show":
            _show(options.shard)
        else:
            _check(options.config, options.registry)
    except SemasiaError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def _show(path: Path) -> None:
    from semasia.latents import Shard

    shard = Shard(path)
    for _ in shard.blocks():
        pass  # reading checks every value
    columns = ", ".join(["id", *shard.label_columns, "model_name", f"embedding[{shard.width}]"])
    print(f"{path}: {shard.rows:,} rows; {columns}; ids, labels and values are sound.")
    print(json.dumps(shard.provenance, indent=2, ensure_ascii=False))


def _check(path: Path, registry: Path) -> None:
    import yaml

    from semasia.config import Collection, parse_config

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise SemasiaError(f"{path}: cannot be read: {error}") from error
    collection = Collection.resolve(parse_config(content, str(path)), registry, str(path))
    for benchmark in collection.benchmarks:
        for split in collection.splits(benchmark):
            rows = collection.rows(benchmark, split)
            whole = collection.benchmarks[benchmark].splits[split].rows
            of = "" if rows == whole else f" of {whole:,}"
            print(f"{benchmark}/{split}: {len(collection.models):,} models × {rows:,}{of} rows")
    print(f"{sum(1 for _ in collection.targets()):,} shards")
