"""The few forms in which a vocabulary writes the text of a token.

A form is literal text with placeholders: ``{n}`` is a whole number, ``{nnn}`` one of three or four
digits (a side in pixels), ``{a}`` one small letter. ``{n}x{n}d`` matches ``32x4d``. What a token
gives is written with its captures in order, ``{1}`` and ``{2}``; ``{name}`` is the token as written
and ``{NAME}`` the same in capitals.
"""

from __future__ import annotations

import re
from functools import cache

PLACEHOLDERS = {
    "{n}": r"(?<![0-9])([0-9]{1,5})(?![0-9])",
    "{nnn}": r"(?<![0-9])([0-9]{3,4})(?![0-9])",
    "{a}": r"([a-z])",
}
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_REFERENCE = re.compile(r"\{([1-9]|name|NAME)\}")


@cache
def compiled(form: str) -> re.Pattern[str]:
    """Return the regular expression of a form.

    Raises
    ------
    ValueError
        If the form is empty, holds an unknown placeholder or a character no identifier has.
    """
    expression, end = "", 0
    for found in _PLACEHOLDER.finditer(form):
        if found[0] not in PLACEHOLDERS:
            raise ValueError(f"{form!r}: {found[0]} is none of {', '.join(PLACEHOLDERS)}")
        expression += re.escape(form[end : found.start()]) + PLACEHOLDERS[found[0]]
        end = found.end()
    expression += re.escape(form[end:])
    if not re.fullmatch(r"[a-z0-9_]+", _PLACEHOLDER.sub("0", form)):
        raise ValueError(f"{form!r}: a token holds small letters, digits and _ only")
    return re.compile(expression, re.ASCII)


def is_literal(form: str) -> bool:
    """Return whether a form holds no placeholder."""
    return "{" not in form


def captures(form: str) -> int:
    """Return the number of placeholders of a form."""
    return compiled(form).groups


def filled(template: str, found: re.Match[str]) -> str:
    """Return a template with the captures of a match put in."""

    def put(reference: re.Match[str]) -> str:
        match reference[1]:
            case "name":
                return found[0]
            case "NAME":
                return found[0].upper()
            case number:
                return found[int(number)]

    return _REFERENCE.sub(put, template)


def references(template: str) -> list[int]:
    """Return the numbers of the captures that a template uses."""
    return [int(r) for r in _REFERENCE.findall(template) if r.isdigit()]
