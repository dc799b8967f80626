"""The little that is checked of a card without a parser of YAML."""

from __future__ import annotations

Complaint = dict[str, str]


def complaints(card: str) -> tuple[list[Complaint], list[Complaint]]:
    """Return errors and warnings of a README.md, as the Hub's checker words them."""
    lines = card.splitlines()
    if not lines or lines[0].strip() != "---":
        return [], [{"message": "empty or missing yaml metadata in repo card"}]
    if "---" not in (line.rstrip() for line in lines[1:]):
        return [{"message": "the yaml metadata is not closed by a line of three dashes"}], []
    end = 1 + [line.rstrip() for line in lines[1:]].index("---")
    errors = []
    for number, line in enumerate(lines[1:end], start=2):
        if line[: len(line) - len(line.lstrip())].count("\t"):
            errors.append({"message": f"line {number} is indented by a tab"})
    keys = [line.split(":")[0] for line in lines[1:end] if line[:1].strip(" -#\t") and ":" in line]
    errors += [
        {"message": f"duplicated mapping key {key!r}"}
        for key in dict.fromkeys(keys)
        if keys.count(key) > 1
    ]
    return errors, []
