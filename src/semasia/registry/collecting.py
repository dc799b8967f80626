"""Collects what the tokens of one identifier give, field by field."""

from __future__ import annotations

import re
from typing import Any

from semasia.registry.entries import Feeds, Value
from semasia.registry.parsed import FLAGS, INTEGERS, JOINED
from semasia.registry.patterns import filled

Match = re.Match[str]


class Fields:
    """The fields of one identifier while it is read, token by token.

    A field holds one value, except those of :data:`~semasia.registry.parsed.JOINED`. A token whose
    field is already taken by another value is refused: it must mean something else, or nothing.
    """

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}
        self.lists: dict[str, list[str]] = {}
        self.implied: dict[str, Value] = {}
        self.fine_tuning = False

    def copy(self) -> Fields:
        """Return an independent copy."""
        other = Fields()
        other.values, other.implied = dict(self.values), dict(self.implied)
        other.lists = {k: list(v) for k, v in self.lists.items()}
        other.fine_tuning = self.fine_tuning
        return other

    def put(self, feeds: Feeds, found: Match | None = None, stage: str | None = None) -> bool:
        """Add what a token gives; return False, and add nothing, if a field is taken."""
        given = {self._target(k): self._value(k, v, found) for k, v in feeds.items()}
        for key, value in given.items():
            if key not in JOINED and key != "macro_family" and self.values.get(key, value) != value:
                return False
        for key, value in given.items():
            if key in JOINED:
                values = self.lists.setdefault(key, [])
                if str(value) not in values:
                    values.append(str(value))
            else:
                self.values[key] = value
        self.fine_tuning = self.fine_tuning or stage == "ft"
        return True

    def imply(self, feeds: Feeds, found: Match | None = None) -> None:
        """Note what holds if no token says otherwise. What was implied first stays."""
        for key, value in feeds.items():
            self.implied.setdefault(key, self._value(key, value, found))

    def columns(self) -> dict[str, Any]:
        """Return the columns: joined, with what is implied where nothing is said."""
        both: dict[str, Any] = {**self.implied, **self.values}
        for key, values in self.lists.items():
            both[key] = JOINED[key].join(values)
        for column, roles in (
            ("model_version", ("generation", "variant")),
            ("size", ("size", "size_suffix")),
        ):
            both[column] = " ".join(both.pop(r) for r in roles if r in both) or None
        if "dataset" in both:
            both["pretrain_dataset"] = both.pop("dataset")
        if "resolution" in both:
            stage = "pretrain_ft_resolution" if self.fine_tuning else "pretrain_resolution"
            both[stage] = both.pop("resolution")
        both["is_gap"] = both.get("head_type") == "GAP"
        both["uses_quickgelu"] = both.get("activation") == "QuickGELU"
        return both

    def _target(self, key: str) -> str:
        if key == "dataset" and self.fine_tuning:
            return "pretrain_ft"
        return key

    @staticmethod
    def _value(key: str, value: Value, found: Match | None) -> Value:
        if key in FLAGS:
            return True
        text = filled(str(value), found) if found else str(value)
        return int(text) if key in INTEGERS else text
