"""The configuration that a command is about."""

from __future__ import annotations

import argparse
from pathlib import Path

from semasia.config import Collection
from semasia.registry.location import registry_folder

DEFAULT = Path("config/config.yaml")


def add_configuration(parser: argparse.ArgumentParser) -> None:
    """Declare ``--config`` and ``--registry``."""
    parser.add_argument(
        "--config", type=Path, default=DEFAULT, help=f"configuration; {DEFAULT} by default"
    )
    parser.add_argument(
        "--registry", type=Path, default=None, help="the registry; by default this repository's"
    )


def collection_of(config: Path, registry: Path | None) -> tuple[Collection, Path]:
    """Return a configuration's collection, and the registry's folder.

    Raises
    ------
    CardError, ConfigError
        If the file is missing or malformed, or names something unknown.
    """
    folder = registry or registry_folder()
    return Collection.load(config, folder), folder
