"""Check one shard and print what it holds."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from semasia.commands.arguments import Commands


def add(commands: Commands) -> None:
    """Declare the command."""
    show = commands.add_parser("show", help="check one shard and print what it holds")
    show.add_argument("shard", type=Path)


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from semasia.latents import Shard

    path = options.shard
    shard = Shard(path)
    shard.verify()
    columns = ", ".join(["id", *shard.label_columns, "model_name", f"embedding[{shard.width}]"])
    print(f"{path}: {shard.rows:,} rows; {columns}; ids, labels and values are those written.")
    print(json.dumps(shard.provenance, indent=2, ensure_ascii=False))
    return 0
