"""Reads a model identifier, ``architecture.tag``, into the columns of the registry.

All knowledge of names is in the vocabularies under ``registry/vocabulary/``; this module only joins
the parts. See docs/registry.md for the columns.
"""

from __future__ import annotations

import re

from semasia.errors import CardError
from semasia.registry.collecting import Fields
from semasia.registry.lexing import UNPARSED, Morpheme, fed, find_family, read
from semasia.registry.parsed import ParsedIdentifier
from semasia.registry.vocabulary import Vocabulary, default_vocabulary

__all__ = ["ParsedIdentifier", "explain", "parse_identifier"]

IDENTIFIER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*", re.ASCII)
# timm's longest identifier has 62 characters.
MAX_LENGTH = 200


def parse_identifier(
    name: str, vocabulary: Vocabulary | None = None, config_resolution: int | None = None
) -> ParsedIdentifier:
    """Read an identifier.

    Parameters
    ----------
    name : str
        ``architecture`` or ``architecture.tag``; only the first dot separates.
    vocabulary : Vocabulary, optional
        The repository's own by default, read once.
    config_resolution : int, optional
        Side of the input in pixels in timm's configuration. It wins over the name's.

    Returns
    -------
    ParsedIdentifier
        With ``family`` "unknown" and all tokens of the architecture in ``unparsed`` where no stem
        of the vocabulary fits.

    Raises
    ------
    CardError
        If the string cannot be an identifier: empty, over 200 characters, beginning with a dot, or
        with another character than letters, digits, ``_``, ``.``, ``+`` and ``-``.

    References
    ----------
    Semasia, App. A.3.
    """
    fields, morphemes = _read(name, vocabulary)
    columns = fields.columns()
    if config_resolution is not None:
        columns["input_resolution"] = config_resolution
    columns["model_name"] = name
    columns["pretrain_config"] = name.partition(".")[2] or None
    columns["unparsed"] = " ".join(m.text for m in morphemes if m.field == UNPARSED)
    return ParsedIdentifier(**columns)


def explain(name: str, vocabulary: Vocabulary | None = None) -> list[tuple[str, str]]:
    """Return every morpheme of an identifier in order, with the columns it fed or ``unparsed``.

    Joined, the morphemes are the identifier without its separators ``.`` and ``_`` (a morpheme of
    several tokens keeps those inside it). Raises as :func:`parse_identifier`.
    """
    return [(m.text, m.field) for m in _read(name, vocabulary)[1]]


def _read(name: str, vocabulary: Vocabulary | None) -> tuple[Fields, list[Morpheme]]:
    _check(name)
    vocabulary = vocabulary or default_vocabulary()
    architecture, _, tag = name.partition(".")
    fields, morphemes = Fields(), []
    start = find_family(architecture, vocabulary)
    if start is None:
        fields.put({"family": "unknown", "macro_family": "Other"})
        morphemes.extend(Morpheme(t, UNPARSED) for t in architecture.split("_") if t)
    else:
        family = start.family
        fields.put({"family": family.family, "macro_family": family.macro_family, **family.feeds})
        for entry, found in start.before:
            fields.put(entry.feeds, found)
            fields.imply(entry.implies, found)
            morphemes.append(Morpheme(found[0], fed(entry)))
        fields.imply(family.implies)
        morphemes.append(Morpheme(family.stem, "family"))
        morphemes.extend(read(architecture[start.end :], vocabulary.after(family), fields))
    morphemes.extend(read(tag, vocabulary.tagged(start.family if start else None), fields))
    return fields, morphemes


def _check(name: str) -> None:
    if len(name) <= MAX_LENGTH and IDENTIFIER.fullmatch(name):
        return
    shown = name if len(name) <= 60 else f"{name[:57]}…"
    if len(name) > MAX_LENGTH:
        found = f"it has {len(name):,} characters, and {MAX_LENGTH} are allowed"
    elif not name:
        found = "it is empty"
    else:
        found = (
            "it holds letters, digits, '_', '.', '+' and '-' only, and begins with none of the "
            "last three"
        )
    raise CardError(f"{shown!r} cannot be a model identifier: {found}.")
