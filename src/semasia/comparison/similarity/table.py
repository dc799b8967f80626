"""Rows of the similarity table: every measure of every pair of models, in long form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from semasia.comparison.pairing import Anchor
from semasia.comparison.similarity.compare import compare, parameters
from semasia.comparison.similarity.definitions import known_measures
from semasia.comparison.similarity.intervals import Blocks, jackknife_blocks
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
    "chance": float,
    "low": float,
    "high": float,
    "bias": float,
    "interval": str,
    "note": str,
}

Known = Summary | SemasiaError
Rows = list[dict[str, Any]]
Keep = Callable[[str, str, Callable[[], Rows]], Rows]


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
    first: Sequence[str],
    second: Sequence[str],
    load: Callable[[str], np.ndarray],
    *,
    measures: Iterable[str] | None = None,
    blocks: Blocks | None = None,
    intervals: Callable[[str, str], bool] = lambda a, b: False,
    keep: Keep = lambda a, b, make: make(),
) -> Iterator[dict[str, Any]]:
    """Yield the rows of every model of one group with every model of another, or of the same.

    At most ``len(first)`` + 1 summaries are held, each of at most n (8 r + 600) + 8 r d + 36e6
    bytes (see :class:`Summary`), and the largest product of a pair, 8 r². A model is summarised
    when the first pair that needs it is made, once for both groups.

    Parameters
    ----------
    benchmark, split : str
    anchor : Anchor
        The inputs of every model's rows.
    first, second : sequence of str
        Models; equal groups give every two of one.
    load : callable
        Gives the (r, d) latents of a model on the anchor. An error that a user can act on becomes
        a note in the rows of the model's pairs.
    measures : iterable of str, optional
        As :func:`semasia.comparison.similarity.compare`.
    blocks : Blocks, optional
        Of the anchor's rows, as :func:`jackknife_blocks` deals them out; by default by their ids.
    intervals : callable
        Whether a pair gets intervals.
    keep : callable
        Given both names and what makes the pair's rows; may return rows made earlier instead.
    """
    names = known_measures(measures)
    blocks = blocks or jackknife_blocks(anchor.ids)
    shared = {
        "benchmark": benchmark,
        "split": split,
        "anchor": anchor.key,
        "anchor_rows": anchor.rows,
    }

    def summary(model: str, held: dict[str, Known]) -> Known:
        if model not in held:
            try:
                held[model] = summarise(load(model), names, blocks)
            except SemasiaError as error:
                held[model] = error
        return held[model]

    held: dict[str, Known] = {}
    same = list(first) == list(second)
    for place, b in enumerate(second):
        beside = held if same else {}

        def made(a: str, b: str = b, beside: dict[str, Known] = beside) -> Rows:
            pair = shared | {"model_a": a, "model_b": b}
            return pair_rows(pair, summary(a, held), summary(b, beside), names, intervals(a, b))

        for a in _against(first, place, same):
            yield from keep(a, b, partial(made, a))


def without_values(
    shared: Mapping[str, Any],
    first: Sequence[str],
    second: Sequence[str],
    why: Callable[[str, str], str | None],
) -> Iterator[dict[str, Any]]:
    """Yield the rows of :func:`similarity_rows` where no model has latents, with notes alone.

    Parameters
    ----------
    shared : mapping
        benchmark, split, anchor and anchor_rows.
    first, second : sequence of str
    why : callable
        The note of a pair.
    """
    same = list(first) == list(second)
    for place, b in enumerate(second):
        for a in _against(first, place, same):
            pair = dict.fromkeys(SIMILARITY_COLUMNS) | {**shared, "model_a": a, "model_b": b}
            yield from _without_values(pair, None, str(why(a, b)))


def _against(first: Sequence[str], place: int, same: bool) -> Sequence[str]:
    """Return the models of one group that one of another, or of the same, is compared with."""
    return first[:place] if same else first


def _without_values(
    row: dict[str, Any], measures: Iterable[str] | None, note: str
) -> list[dict[str, Any]]:
    return [
        row | {"measure": name, "parameter": parameter, "note": note}
        for name in known_measures(measures)
        for parameter in parameters(name)
    ]
