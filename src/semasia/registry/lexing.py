"""Cuts an identifier into morphemes by the vocabularies: longest match first, token by token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from semasia.registry.collecting import Fields, Match
from semasia.registry.entries import Entry, Family
from semasia.registry.parsed import ROLES
from semasia.registry.patterns import compiled, is_literal
from semasia.registry.vocabulary import Scope, Vocabulary

UNPARSED = "unparsed"


@dataclass(frozen=True)
class Morpheme:
    """A piece of an identifier and the fields it fed, joined by ``+``."""

    text: str
    field: str


@dataclass(frozen=True)
class Start:
    """How an architecture name begins: its family, and what stands around the stem."""

    family: Family
    before: tuple[tuple[Entry, Match], ...]
    end: int


def find_family(architecture: str, vocabulary: Vocabulary) -> Start | None:
    """Return the family whose stem covers most of the name, or None.

    Before the stem only prefixes of the family may stand; directly after it, up to the next ``_``,
    only morphemes of the family. ``se`` + ``resnext`` + ``aa`` + ``101`` + ``d`` is a ResNeXt.
    """
    best: tuple[int, bool, int] | None = None
    start: Start | None = None
    for family in vocabulary.families:
        at = architecture.find(family.stem)
        while at >= 0:
            rank = (len(family.stem), family.when is not None, -at)
            if best is None or rank > best:
                found = _start(architecture, at, family, vocabulary)
                if found:
                    best, start = rank, found
            at = architecture.find(family.stem, at + 1)
    return start


def _start(text: str, at: int, family: Family, vocabulary: Vocabulary) -> Start | None:
    end = at + len(family.stem)
    if family.when and not compiled(family.when).match(text, end):
        return None
    before: list[tuple[Entry, Match]] = []
    for start, stop in _tokens(text, 0, at):
        pieces = _glued(text, start, stop, vocabulary.before(family), any_entry=True)
        if pieces is None:
            return None
        before.extend(pieces)
    stop = _stop(text, end)
    if stop > end and _glued(text, end, stop, vocabulary.after(family)) is None:
        return None
    return Start(family, tuple(before), end)


def read(text: str, scopes: tuple[Scope, ...], fields: Fields) -> list[Morpheme]:
    """Read tokens into the fields; return every morpheme in order, unknown tokens included.

    Parameters
    ----------
    text : str
        Tokens separated by ``_``. It may begin in the middle of a token, after a stem.
    scopes : tuple of mappings from form to entry
        Where to look, first scope first.
    """
    morphemes: list[Morpheme] = []
    at = 0
    while at < len(text):
        if text[at] == "_":
            at += 1
            continue
        stop = _stop(text, at)
        for entry, found in _whole(text, at, scopes):
            if fields.put(entry.feeds, found, entry.stage):
                fields.imply(entry.implies, found)
                morphemes.append(Morpheme(found[0], fed(entry)))
                at = found.end()
                break
        else:
            morphemes.extend(_parts(text, at, stop, scopes, fields))
            at = stop
    return morphemes


def fed(entry: Entry) -> str:
    """Return the columns an entry feeds, joined by ``+``."""
    names: list[str] = ["pretrain_ft"] if entry.stage == "ft" else []
    for key in entry.feeds:
        names.extend(n for n in ROLES.get(key, (key,))[:1] if n not in names)
    return "+".join(names)


def _whole(text: str, at: int, scopes: tuple[Scope, ...]) -> list[tuple[Entry, Match]]:
    """Return the entries that match from here to the end of a token, the best first."""
    ranked: list[tuple[int, bool, int, Entry, Match]] = []
    for depth, scope in enumerate(scopes):
        for form, entry in scope.items():
            found = compiled(form).match(text, at)
            if found and found.end() == _stop(text, found.end()):
                ranked.append((-len(found[0]), not is_literal(form), depth, entry, found))
    ranked.sort(key=lambda item: item[:3])
    return [(entry, found) for *_, entry, found in ranked]


def _parts(
    text: str, at: int, stop: int, scopes: tuple[Scope, ...], fields: Fields
) -> Iterator[Morpheme]:
    """Read one token made of several morphemes; all of them fit, or none is read."""
    pieces = _glued(text, at, stop, scopes)
    trial = fields.copy()
    if pieces and all(trial.put(e.feeds, m, e.stage) for e, m in pieces):
        for entry, found in pieces:
            fields.put(entry.feeds, found, entry.stage)
            fields.imply(entry.implies, found)
            yield Morpheme(found[0], fed(entry))
    else:
        yield Morpheme(text[at:stop], UNPARSED)


def _glued(
    text: str, start: int, stop: int, scopes: tuple[Scope, ...], any_entry: bool = False
) -> list[tuple[Entry, Match]] | None:
    """Cover a stretch of text by glued morphemes, longest first; None if it cannot be covered."""
    entries = [
        (compiled(form), entry)
        for scope in scopes
        for form, entry in scope.items()
        if entry.glued or any_entry
    ]
    # From the right: covers[i] is the cover of text[i:stop], so no stretch is tried twice.
    covers: dict[int, list[tuple[Entry, Match]]] = {stop: []}
    for at in range(stop - 1, start - 1, -1):
        longest = at
        for pattern, entry in entries:
            found = pattern.match(text, at, stop)
            if found and found.end() > longest and found.end() in covers:
                longest = found.end()
                covers[at] = [(entry, found), *covers[found.end()]]
    return covers.get(start)


def _tokens(text: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
    while start < stop:
        end = min(_stop(text, start), stop)
        if end > start:
            yield start, end
        start = end + 1


def _stop(text: str, at: int) -> int:
    """Return where the token that holds position ``at`` ends."""
    end = text.find("_", at)
    return len(text) if end < 0 else end
