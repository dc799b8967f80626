"""Check every shard of a collection."""

from __future__ import annotations

import argparse
from pathlib import Path

from semasia.commands.arguments import Commands, count, file, folder


def add(commands: Commands) -> None:
    """Declare the command."""
    verify = commands.add_parser("verify", help="check every shard of a collection")
    verify.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="a shard, a results folder, or a published collection",
    )
    verify.add_argument(
        "--recompute",
        type=count,
        default=0,
        metavar="N",
        help="compute N rows drawn at random again, and compare",
    )
    verify.add_argument("--config", type=file, help="configuration whose model cards are used")
    verify.add_argument(
        "--inputs", type=folder, help="prepared inputs; by default inputs/ beside latents/"
    )
    verify.add_argument(
        "--registry", type=folder, help="the registry; by default this repository's"
    )
    verify.add_argument("--seed", type=count, default=0, help="of the rows drawn")
    verify.add_argument("--format", choices=("table", "json"), default="table")


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from semasia.audit import as_json, as_table, verify

    audit = verify(
        options.paths,
        recompute=options.recompute,
        config=options.config,
        inputs=options.inputs,
        registry=options.registry,
        seed=options.seed,
    )
    print(as_json(audit) if options.format == "json" else as_table(audit))
    return audit.status
