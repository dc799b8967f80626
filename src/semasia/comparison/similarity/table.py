"""Rows of the similarity table: every measure of every pair of models, in long form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from semasia.comparison.pairing import Anchor
from semasia.comparison.similarity.compare import compare, parameters
from semasia.comparison.similarity.definitions import known_measures
from semasia.comparison.similarity.summary import Summary, summarise
from semasia.errors import SemasiaError

# Names and order of the table's columns, with what each holds.
SIMILARITY_COLUMNS: dict[str, type] = {
    "benchmark": str,
    "split": str,
    "anchor": str,
    "anchor_rows": int,
    "model_a": str,
    "model_b": str,
    "measure": str,
    "parameter": str,
    "value": float,
    "low": float,
    "high": float,
    "interval": str,
    "note": str,
}

Known = Summary | SemasiaError


def pair_rows(
    known: dict[str, Any],
    a: Known,
    b: Known,
    measures: Iterable[str] | None = None,
    intervals: bool = False,
) -> list[dict[str, Any]]:
    """Return the rows of one pair.

    Parameters
    ----------
    known : dict
        benchmark, split, anchor, anchor_rows, model_a and model_b.
    a, b : Summary or SemasiaError
        The error that a model could not be summarised for becomes the note of every measure.
    measures, intervals
        As :func:`semasia.comparison.similarity.compare`.

    Returns
    -------
    list of dict
        The keys of :data:`SIMILARITY_COLUMNS`; where a value is undefined it is None, and ``note``
        says why.
    """
    row = dict.fromkeys(SIMILARITY_COLUMNS) | known
    if isinstance(a, Summary) and isinstance(b, Summary):
        try:
            found = compare(a, b, measures, intervals)
        except SemasiaError as error:
            return _without_values(row, measures, str(error))
        return [row | s._asdict() for s in found]
    models = ((known["model_a"], a), (known["model_b"], b))
    why = [f"{name}: {s}" for name, s in models if isinstance(s, SemasiaError)]
    return _without_values(row, measures, " ".join(why))


def similarity_rows(
    benchmark: str,
    split: str,
    anchor: Anchor,
    models: Sequence[str],
    load: Callable[[str], np.ndarray],
    measures: Iterable[str] | None = None,
    intervals: bool = False,
    models_at_once: int = 8,
) -> Iterator[dict[str, Any]]:
    """Yield the rows of all pairs of models, one block of models against another at a time.

    At most ``models_at_once`` + 1 summaries are held, each of at most n (8 r + 408) + 8 r d + 36e6
    bytes (see :class:`Summary`), and the largest product of a pair, 8 r². A model is summarised
    once for every block that it is compared with: with m models and b at once, at most m / b
    times; once if all fit.

    Parameters
    ----------
    benchmark, split : str
    anchor : Anchor
        The inputs of every model's rows.
    models : sequence of str
        A pair's ``model_a`` comes before its ``model_b`` here.
    load : callable
        Gives the (r, d) latents of a model on the anchor. An error that a user can act on becomes
        a note in the rows of the model's pairs.
    measures, intervals
        As :func:`semasia.comparison.similarity.compare`.
    models_at_once : int
    """
    names = known_measures(measures)
    shared = {
        "benchmark": benchmark,
        "split": split,
        "anchor": anchor.key,
        "anchor_rows": anchor.rows,
    }

    def summarised(model: str) -> Known:
        try:
            return summarise(load(model), names)
        except SemasiaError as error:
            return error

    def rows(first: str, second: str, a: Known, b: Known) -> list[dict[str, Any]]:
        pair = {"model_a": first, "model_b": second}
        return pair_rows(shared | pair, a, b, names, intervals)

    for start in range(0, len(models), models_at_once):
        own = models[start : start + models_at_once]
        held = {model: summarised(model) for model in own}
        for place, first in enumerate(own):
            for second in own[place + 1 :]:
                yield from rows(first, second, held[first], held[second])
        for second in models[start + models_at_once :]:
            other = summarised(second)
            for first in own:
                yield from rows(first, second, held[first], other)


def _without_values(
    row: dict[str, Any], measures: Iterable[str] | None, note: str
) -> list[dict[str, Any]]:
    return [
        row | {"measure": name, "parameter": parameter, "note": note}
        for name in known_measures(measures)
        for parameter in parameters(name)
    ]
