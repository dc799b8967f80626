"""What shards are held to besides themselves: prepared inputs and the registry's widths."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import polars as pl

from semasia.audit.finding import Finding
from semasia.errors import ConfigError, SemasiaError
from semasia.inputs import PreparedSplit
from semasia.registry.selection import read_registry


class KnownWidth(NamedTuple):
    """What the registry says of one model."""

    architecture: str
    width: int


def registry_widths(folder: Path) -> dict[str, KnownWidth]:
    """Return architecture and ``latent_dim`` per model of the built registry, where it has one.

    Raises
    ------
    ConfigError
        If the table is not there, cannot be read, or lacks a column.
    """
    try:
        known = read_registry(folder).select("model_name", "architecture", "latent_dim")
    except pl.exceptions.PolarsError as error:
        raise ConfigError(f"{folder / 'registry.parquet'}: {error}") from error
    return {name: KnownWidth(*rest) for name, *rest in known.drop_nulls().iter_rows()}


def width_refusal(
    widths: Mapping[str, KnownWidth], model: str, architecture: str | None, width: int
) -> str | None:
    """Return what to say where the registry gives another width for this very network.

    Parameters
    ----------
    widths : mapping
        See :func:`registry_widths`.
    model : str
    architecture : str or None
        As provenance says; None compares by the model's name alone.
    width : int
        As found.
    """
    known = widths.get(model)
    if known is None or architecture not in (None, known.architecture) or known.width == width:
        return None
    return f"vectors of {width}, but the registry says {known.width} for {model}."


class InputsAtHand:
    """Finds the prepared split that a shard was made from; each is opened once.

    Parameters
    ----------
    folder : Path, optional
        ``{folder}/{benchmark}/{split}.arrow`` for every shard. By default ``inputs/`` beside the
        ``latents/`` that a shard lies under, if it is there.

    Attributes
    ----------
    problems : list of Finding
        Prepared splits that are there and cannot be read.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._opened: dict[Path, PreparedSplit | None] = {}
        self.problems: list[Finding] = []

    def of(self, shard: Path, benchmark: str, split: str) -> PreparedSplit | None:
        """Return the prepared split of a shard, None if it is not at hand."""
        folder = self.folder_of(shard)
        if folder is None:
            return None
        data, facts = (folder / benchmark / f"{split}{end}" for end in (".arrow", ".json"))
        if data not in self._opened:
            self._opened[data] = None
            if data.is_file() or facts.is_file():
                try:
                    self._opened[data] = PreparedSplit.open(data, facts)
                except SemasiaError as error:
                    message = str(error).removeprefix(f"{data}: ")
                    self.problems.append(Finding(data, "inputs", message))
        return self._opened[data]

    def folder_of(self, shard: Path) -> Path | None:
        """Return where the inputs of a shard are looked for."""
        if self._folder is not None:
            return self._folder
        above = shard.parents
        return above[3] / "inputs" if len(above) > 3 and above[2].name == "latents" else None
