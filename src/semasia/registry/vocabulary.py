"""The vocabularies under ``registry/vocabulary/``: everything that is known of identifiers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from semasia.closed import load_card
from semasia.errors import CardError, did_you_mean
from semasia.registry.entries import (
    DatasetsFile,
    Entry,
    FamiliesFile,
    Family,
    GroupsFile,
    TokensFile,
)
from semasia.registry.location import registry_folder

TAG_FILES = ("organisations", "methods", "augmentations", "pretraining")
Scope = dict[str, Entry]


@dataclass(frozen=True)
class Vocabulary:
    """All vocabularies, checked against each other."""

    families: tuple[Family, ...]
    groups: dict[str, Scope]
    tags: Scope
    dataset_order: dict[str, int]

    def after(self, family: Family) -> tuple[Scope, ...]:
        """Return the scopes of tokens after a family's stem, the family's own first."""
        return (family.tokens, *(self.groups[g] for g in family.uses))

    def before(self, family: Family) -> tuple[Scope, ...]:
        """Return the scopes of morphemes before a family's stem."""
        return tuple(self.groups[g] for g in family.prefixes)

    def tagged(self, family: Family | None) -> tuple[Scope, ...]:
        """Return the scopes of tag tokens for a family, the family's own first."""
        return (family.tags, self.tags) if family else (self.tags,)


@cache
def default_vocabulary() -> Vocabulary:
    """Return the repository's vocabularies, read once per process."""
    return load_vocabulary(registry_folder() / "vocabulary")


def load_vocabulary(folder: Path) -> Vocabulary:
    """Read and check the vocabularies of a folder.

    Raises
    ------
    CardError
        If a file is missing or malformed, a token is defined twice in one scope, a family names a
        group that does not exist, or a macro-family is not one of the six.
    """
    path = folder / "families.yaml"
    families = load_card(path, FamiliesFile).families
    groups = load_card(folder / "architecture.yaml", GroupsFile).groups
    stems: set[tuple[str, str | None]] = set()
    for family in families:
        if (family.stem, family.when) in stems:
            raise CardError(f"{path}: stem {family.stem!r} is defined twice.")
        stems.add((family.stem, family.when))
        for group in (*family.prefixes, *family.uses):
            if group not in groups:
                raise CardError(
                    f"{path}: stem {family.stem!r} names the group {group!r}, which "
                    f"architecture.yaml does not define.{did_you_mean(group, groups)}"
                )
    tags: Scope = {}
    origin: dict[str, Path] = {}
    order: dict[str, int] = {}
    path = folder / "datasets.yaml"
    for token, dataset in load_card(path, DatasetsFile).datasets.items():
        order[dataset.name] = dataset.order
        for alias in (token, *dataset.aliases):
            _add(tags, origin, alias, dataset.entry(), path)
    for name in TAG_FILES:
        path = folder / f"{name}.yaml"
        for token, entry in load_card(path, TokensFile).tokens.items():
            _add(tags, origin, token, entry, path)
    return Vocabulary(families=families, groups=groups, tags=tags, dataset_order=order)


def _add(tags: Scope, origin: dict[str, Path], token: str, entry: Entry, path: Path) -> None:
    if token in tags:
        raise CardError(
            f"{path}: tag token {token!r} is already defined in {origin[token].name}, as "
            f"{tags[token].meaning!r}. A token has one meaning; remove one of the two."
        )
    tags[token], origin[token] = entry, path
