"""One number for one class name, wherever the files of a source count them differently."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from semasia.errors import SourceError, printable
from semasia.inputs.cards import distinct_names


def checked_names(names: Sequence[str], where: str) -> tuple[str, ...]:
    """Return class names composed as Unicode's form C, each of which is there once.

    Parameters
    ----------
    names : sequence of str
        In order of value.
    where : str
        What names them, for messages.

    Raises
    ------
    SourceError
        If two classes have one name, as spelled or once composed.
    """
    try:
        return distinct_names(names)
    except ValueError as error:
        raise SourceError(f"{where}: {error}, under `labels` in the card.") from None


def renumbered(
    values: np.ndarray,
    names: Sequence[str],
    wanted: Sequence[str],
    *,
    column: str,
    where: str | Path,
    of: str,
) -> np.ndarray:
    """Return labels that count ``names`` as labels that count ``wanted``.

    Parameters
    ----------
    values : (n,) int64 array
        −1 and whatever else is no index of ``names`` stays, for the check of the range to tell.
    names, wanted : sequence of str
        Class names in order of value: those of the values, and those to count by.
    column, where, of : str
        The label column, where it lies, and what counts by ``wanted``, for messages.

    Raises
    ------
    SourceError
        If the names are others; the message has the first that only one side has.
    """
    if tuple(names) == tuple(wanted):
        return values
    place = printable(where)
    if set(names) != set(wanted):
        ours = next((n for n in names if n not in set(wanted)), None)
        theirs = next((n for n in wanted if n not in set(names)), None)
        told = [
            f"only {who} has {name!r}"
            for who, name in ((place, ours), (of, theirs))
            if name is not None
        ]
        raise SourceError(
            f"{place}: the class names of {column!r} are not those of {of} ({len(names)} and "
            f"{len(wanted)} names): {'; '.join(told)}. The same number would stand for two "
            f"classes; correct the source, or `labels.{column}.names` in the card."
        )
    places = {name: number for number, name in enumerate(wanted)}
    table = np.array([places[name] for name in names], np.int64)
    inside = (values >= 0) & (values < len(table))
    result = values.copy()
    result[inside] = table[values[inside]]
    return result
