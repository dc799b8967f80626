"""Fifty identifiers against a table made by hand, field by field."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import yaml

from semasia.registry.grammar import parse_identifier
from semasia.registry.parsed import ParsedIdentifier

TABLE = yaml.safe_load((Path(__file__).parent / "fifty_identifiers.yaml").read_text())
FIELDS = [f.name for f in dataclasses.fields(ParsedIdentifier) if f.name != "model_name"]


def test_there_are_fifty_and_every_field_is_used() -> None:
    assert len(TABLE) == 50
    used = {field for entry in TABLE.values() for field in entry}
    assert used <= set(FIELDS)
    assert set(FIELDS) - used <= {"unparsed"}


@pytest.mark.parametrize("name", TABLE)
def test_every_field_is_as_the_table_says(name: str) -> None:
    entry = TABLE[name]
    found = dataclasses.asdict(
        parse_identifier(name, config_resolution=entry.get("input_resolution"))
    )
    for field in FIELDS:
        if field == "unparsed" and field not in entry:
            continue
        empty = False if isinstance(found[field], bool) else None
        assert found[field] == entry.get(field, empty), field
