"""The console command ``semasia``."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import sys

from semasia.commands import check, models, plan, publish, show, status, verify
from semasia.errors import SemasiaError
from semasia.streams import tolerate_encodings

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
    tolerate_encodings()
    parser = argparse.ArgumentParser(prog="semasia", description="Datasets of latent vectors.")
    version = importlib.metadata.version("semasia")
    parser.add_argument("--version", action="version", version=f"semasia {version}")
    commands = parser.add_subparsers(dest="command")
    for command in _COMMANDS.values():
        command.add(commands)
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help(sys.stderr)
        return 2
    try:
        status = _COMMANDS[options.command].run(options)
        # Whether the reader is still there shows when the last of the output is written.
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Whoever read the output has seen enough, as `head` has.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except SemasiaError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
