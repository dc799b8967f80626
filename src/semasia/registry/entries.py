"""The schema of the vocabularies: closed models, so that a misspelt key is an error."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from semasia.closed import Closed
from semasia.registry.parsed import DERIVED, FLAGS, INTEGERS, ROLES, ParsedIdentifier
from semasia.registry.patterns import captures, compiled, references

Value = bool | int | str
Feeds = dict[str, Value]
MACRO_FAMILIES = (
    "Convolutional",
    "Vision Transformer",
    "Hybrid CNN–Transformer",
    "Hierarchical Vision Transformer",
    "MetaFormer",
    "Other",
)
FIELDS = (frozenset(ParsedIdentifier.__dataclass_fields__) | frozenset(ROLES)) - DERIVED


def check_macro_family(value: object) -> None:
    """Raise ``ValueError`` unless the value is one of the six macro-families."""
    if value not in MACRO_FAMILIES:
        raise ValueError(f"macro-family {value!r} is none of {', '.join(MACRO_FAMILIES)}")


def check_feeds(feeds: Feeds) -> None:
    """Raise ``ValueError`` if a field is unknown or its value is of the wrong kind."""
    for key, given in feeds.items():
        if key not in FIELDS:
            raise ValueError(f"{key!r} is no field; the fields are {', '.join(sorted(FIELDS))}")
        if key in FLAGS and given is not True:
            raise ValueError(f"flag {key!r} can only be true")
        if key in INTEGERS and not re.fullmatch(r"[0-9]+|\{[1-9]\}", str(given)):
            raise ValueError(f"{given!r} is not a value for the whole number {key!r}")
        if key == "macro_family":
            check_macro_family(given)


class Entry(Closed):
    """What one token of an identifier means, and the fields it gives."""

    feeds: Feeds = Field(default_factory=dict, description="Field to value; {1} is a capture.")
    implies: Feeds = Field(
        default_factory=dict, description="The same, where no token of the identifier says it."
    )
    stage: Literal["ft"] | None = Field(
        default=None, description="`ft`: what follows is of the fine-tuning stage."
    )
    glued: bool = Field(default=False, description="Whether it may be part of a longer token.")
    meaning: str = Field(min_length=3)
    source: str = Field(min_length=3)

    @field_validator("feeds", "implies")
    @classmethod
    def _known(cls, value: Feeds) -> Feeds:
        check_feeds(value)
        return value

    @model_validator(mode="after")
    def _says_something(self) -> Entry:
        if not self.feeds and self.stage is None:
            raise ValueError("an entry feeds at least one field or begins a stage")
        return self


class Family(Closed):
    """A stem of architecture names and the lineage it stands for."""

    stem: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$")
    when: str | None = Field(default=None, description="Form that must follow the stem directly.")
    family: str = Field(min_length=1)
    macro_family: str
    reason: str | None = Field(default=None, description="Why the macro-family is `Other`.")
    feeds: Feeds = Field(default_factory=dict)
    implies: Feeds = Field(default_factory=dict)
    prefixes: tuple[str, ...] = Field(default=(), description="Groups of tokens before the stem.")
    uses: tuple[str, ...] = Field(default=(), description="Groups of tokens after the stem.")
    tokens: dict[str, Entry] = Field(default_factory=dict, description="Its own tokens, first.")
    tags: dict[str, Entry] = Field(default_factory=dict, description="Its own tokens of tags.")
    meaning: str = Field(min_length=3)
    source: str = Field(min_length=3)

    @model_validator(mode="after")
    def _consistent(self) -> Family:
        check_macro_family(self.macro_family)
        if (self.macro_family == "Other") != (self.reason is not None):
            raise ValueError(
                f"stem {self.stem!r}: macro-family `Other`, and no other, has a reason"
            )
        if self.when is not None:
            compiled(self.when)
        check_feeds(self.feeds)
        check_feeds(self.implies)
        for scope in (self.tokens, self.tags):
            check_forms(scope)
        return self


class Dataset(Closed):
    """A corpus."""

    name: str
    order: int = Field(ge=0, description="Scale: the power of ten of its number of images.")
    aliases: tuple[str, ...] = ()
    feeds: Feeds = Field(default_factory=dict)
    implies: Feeds = Field(default_factory=dict)
    meaning: str = Field(min_length=3)
    source: str = Field(min_length=3)

    def entry(self) -> Entry:
        """Return the token entry of this corpus."""
        feeds = {"dataset": self.name, **self.feeds}
        return Entry(feeds=feeds, implies=self.implies, meaning=self.meaning, source=self.source)


class FamiliesFile(Closed):
    """``families.yaml``."""

    families: tuple[Family, ...] = Field(min_length=1)


class GroupsFile(Closed):
    """``architecture.yaml``: named groups of tokens that families share."""

    groups: dict[str, dict[str, Entry]]

    @field_validator("groups")
    @classmethod
    def _forms(cls, value: dict[str, dict[str, Entry]]) -> dict[str, dict[str, Entry]]:
        for group in value.values():
            check_forms(group)
        return value


class DatasetsFile(Closed):
    """``datasets.yaml``."""

    datasets: dict[str, Dataset]


class TokensFile(Closed):
    """A file of tokens of tags: organisations, methods, augmentations, pretraining."""

    tokens: dict[str, Entry]

    @field_validator("tokens")
    @classmethod
    def _forms(cls, value: dict[str, Entry]) -> dict[str, Entry]:
        check_forms(value)
        return value


def check_forms(scope: dict[str, Entry]) -> None:
    """Raise ``ValueError`` if a form is malformed or a value uses a capture it does not have."""
    for form, entry in scope.items():
        count = captures(form)
        for value in (*entry.feeds.values(), *entry.implies.values()):
            wrong = [r for r in references(str(value)) if r > count]
            if wrong:
                raise ValueError(f"token {form!r} has {count} captures, but {value!r} uses {wrong}")
