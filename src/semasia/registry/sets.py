"""Model sets: named lists of models under ``registry/models/``.

A set is a text file of timm identifiers, one per line, or a YAML file of model cards.
"""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field

from semasia.closed import Closed, load_card
from semasia.errors import CardError, did_you_mean
from semasia.registry.cards import EncoderCard, checked_name


class ModelSetFile(Closed):
    """A YAML model set."""

    description: str
    models: tuple[EncoderCard, ...] = Field(min_length=1)


def load_model_set(name: str, folder: Path) -> dict[str, EncoderCard]:
    """Return the models of a set by name, in the file's order.

    Raises
    ------
    CardError
        If there is no such set, an entry is malformed, or a name comes twice.
    """
    for suffix in (".yaml", ".txt"):
        path = folder / f"{name}{suffix}"
        if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) and path.is_file():
            return read_model_set(path)
    known = sorted(p.stem for p in folder.glob("*") if p.suffix in (".yaml", ".txt"))
    raise CardError(
        f"unknown model set {name!r}: no {name}.yaml or {name}.txt in {folder}."
        f"{did_you_mean(name, known)} Known: {', '.join(known)}."
    )


def read_model_set(path: Path) -> dict[str, EncoderCard]:
    """Return the models of one file, ``.yaml`` or ``.txt``; raises as :func:`load_model_set`."""
    if not path.is_file():
        raise CardError(f"{path}: there is no such model set.")
    return _from_yaml(path) if path.suffix == ".yaml" else _from_text(path)


def _from_yaml(path: Path) -> dict[str, EncoderCard]:
    cards: dict[str, EncoderCard] = {}
    for card in load_card(path, ModelSetFile).models:
        if card.name in cards:
            raise CardError(f"{path}: model {card.name!r} is there twice.")
        cards[card.name] = card
    return cards


def _from_text(path: Path) -> dict[str, EncoderCard]:
    cards: dict[str, EncoderCard] = {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CardError(f"{path}: is not readable text: {error}") from error
    for number, line in enumerate(lines, 1):
        name = line.split("#")[0].strip()
        if not name:
            continue
        try:
            checked_name(name)
        except ValueError as error:
            raise CardError(f"{path}, line {number}: {error}.") from None
        if name in cards:
            raise CardError(f"{path}, line {number}: model {name!r} is there twice.")
        cards[name] = EncoderCard.of_timm(name)
    return cards
