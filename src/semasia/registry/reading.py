"""How well the grammar reads a list of identifiers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from semasia.errors import SemasiaError
from semasia.registry.grammar import parse_identifier


@dataclass
class Reading:
    """What came of reading identifiers.

    Attributes
    ----------
    identifiers : int
    exceptions : dict of str
        Identifiers that could not be read, with the reason.
    without_family : list of str
        Identifiers whose stem no vocabulary entry knows.
    unparsed : dict of str
        Identifiers with tokens that no field accounts for, and those tokens.
    """

    identifiers: int = 0
    exceptions: dict[str, str] = field(default_factory=dict)
    without_family: list[str] = field(default_factory=list)
    unparsed: dict[str, str] = field(default_factory=dict)

    @property
    def accounted_share(self) -> float:
        """Share of the identifiers in which every token feeds a field."""
        read = self.identifiers - len(self.exceptions) - len(self.unparsed)
        return read / self.identifiers if self.identifiers else 1.0

    def __str__(self) -> str:
        tokens = ", ".join(sorted({t for v in self.unparsed.values() for t in v.split()}))
        return (
            f"{self.identifiers:,} identifiers: {len(self.exceptions)} exceptions, "
            f"{len(self.without_family)} without a family, {100 * self.accounted_share:.2f} % with "
            f"every token accounted for" + (f" (not: {tokens})" if tokens else "")
        )


def read_identifiers(names: Iterable[str]) -> Reading:
    """Read identifiers and tell how it went; an identifier that cannot be read is noted."""
    reading = Reading()
    for name in names:
        reading.identifiers += 1
        try:
            found = parse_identifier(name)
        except SemasiaError as error:
            reading.exceptions[name] = str(error)
            continue
        if found.family in ("", "unknown"):
            reading.without_family.append(name)
        if found.unparsed:
            reading.unparsed[name] = found.unparsed
    return reading
