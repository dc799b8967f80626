"""The console command ``semasia``."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import sys

from semasia.commands import check, models, plan, publish, show, status, verify
from semasia.errors import SemasiaError

_COMMANDS = {
    "plan": plan,
    "status": status,
    "show": show,
    "verify": verify,
    "models": models,
    "check": check,
    "publish": publish,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(prog="semasia", description="Datasets of latent vectors.")
    version = importlib.metadata.version("semasia")
    parser.add_argument("--version", action="version", version=f"semasia {version}")
    commands = parser.add_subparsers(dest="command", required=True)
    for command in _COMMANDS.values():
        command.add(commands)
    options = parser.parse_args(arguments)
    try:
        return _COMMANDS[options.command].run(options)
    except BrokenPipeError:
        # Whoever read the output has seen enough, as `head` has.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SemasiaError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
