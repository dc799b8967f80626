"""Every measure of one pair of models, from their summaries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from semasia.comparison.similarity.cka import check_rows
from semasia.comparison.similarity.definitions import MEASURES, known_measures
from semasia.comparison.similarity.distances import (
    BANDWIDTH,
    kernel_cka_left_out,
    kernel_cka_of,
    rsa_left_out,
    rsa_of,
)
from semasia.comparison.similarity.factors import SUBSPACE_K, VARIANCE_KEPT
from semasia.comparison.similarity.intervals import (
    BLOCKS,
    BOOTSTRAP,
    JACKKNIFE,
    jackknife_interval,
)
from semasia.comparison.similarity.leaving_out import left_out
from semasia.comparison.similarity.linear import LINEAR, OF_ENERGIES, Linear
from semasia.comparison.similarity.neighbourhoods import (
    JACCARD_K,
    METRICS,
    NPS_K,
    common_neighbours,
    jaccard_scores,
    nps_scores,
)
from semasia.comparison.similarity.products import cross_products
from semasia.comparison.similarity.summary import Summary
from semasia.errors import ComparisonError
from semasia.geometry.probes import mean_interval

# Share of rows whose neighbours ties may decide without a note.
_FEW_TIES = 0.01


class Similarity(NamedTuple):
    """One value of one measure.

    Attributes
    ----------
    measure : str
        A name in :data:`MEASURES`.
    parameter : str or None
        Such as ``k=10``.
    value, low, high : float or None
        The value, and its 95 % interval where one was asked for and the measure has one.
    interval : str or None
        How the interval was found.
    note : str or None
        Why there is no value, or no interval, or what a value is not to be read without.
    """

    measure: str
    parameter: str | None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    interval: str | None = None
    note: str | None = None


def compare(
    a: Summary, b: Summary, measures: Iterable[str] | None = None, intervals: bool = False
) -> list[Similarity]:
    """Return every measure of a pair; a note instead of a value where one is undefined.

    The measures of covariances share one product of rank_A × n × rank_B. With intervals it is
    computed again for each block, and the measures that need factors decompose every one of the 20
    remainders, which takes about 20 times as long; those of CKA alone, about twice.

    Parameters
    ----------
    a, b : Summary
        Of the same inputs in the same order.
    measures : iterable of str, optional
        By default all that both summaries were made for.
    intervals : bool
        Whether to add 95 % intervals.

    Raises
    ------
    ComparisonError
        If the numbers of rows differ, or a summary was not made for a measure.
    """
    check_rows(a.rows, b.rows)
    shared = [name for name in a.measures if name in b.measures]
    names = shared if measures is None else known_measures(measures)
    for name in names:
        if name not in shared:
            raise ComparisonError(f"a summary was not made for {name!r}; name it there as well.")
    found = [
        *_of_covariances(a, b, [n for n in names if n in LINEAR], intervals),
        *_of_neighbours(a, b, names, intervals),
        *_of_pairs(a, b, names, intervals),
    ]
    return sorted(found, key=lambda s: names.index(s.measure))


def parameters(measure: str) -> tuple[str | None, ...]:
    """Return the parameters of the values that a measure has for a pair."""
    if measure == "pwcca":
        return ("weights=a", "weights=b")
    if measure.startswith("nps_"):
        return tuple(f"k={k}" for k in NPS_K)
    if measure.startswith("neighbour_jaccard_"):
        return (f"k={JACCARD_K}",)
    known = {
        "svcca": f"variance={VARIANCE_KEPT}",
        "subspace_overlap": f"k={SUBSPACE_K}",
        "kernel_cka": f"bandwidth={BANDWIDTH}",
    }
    return (known.get(measure),)


def _of_covariances(
    a: Summary, b: Summary, names: list[str], intervals: bool
) -> Iterator[Similarity]:
    if not names:
        return
    keys = [(name, parameter) for name in names for parameter in parameters(name)]
    intervals_exist = intervals and a.rows >= 2 * BLOCKS
    cross = None
    if intervals_exist or not set(names) <= set(OF_ENERGIES):
        cross = cross_products(a.basis, b.basis)
    whole = Linear.of(a, b, cross)
    values: dict[tuple[str, str | None], float] = {}
    for name, parameter in keys:
        try:
            values[name, parameter] = whole.value(name, parameter)
        except ComparisonError as error:
            yield Similarity(name, parameter, note=str(error))
    if cross is None or not intervals_exist:
        for (name, parameter), value in values.items():
            yield Similarity(name, parameter, value, note=_few(a.rows) if intervals else None)
        return
    remainders, notes = left_out(a, b, cross, list(values))
    for (name, parameter), value in values.items():
        if note := notes.get((name, parameter)):
            yield Similarity(name, parameter, value, note=f"interval: {note}")
        else:
            yield _with_jackknife(name, parameter, value, remainders[name, parameter])


def _of_neighbours(
    a: Summary, b: Summary, names: Iterable[str], intervals: bool
) -> Iterator[Similarity]:
    for metric in METRICS:
        asked = [n for n in (f"nps_{metric}", f"neighbour_jaccard_{metric}") if n in names]
        why = _missing(a, b, f"neighbours_{metric}")
        common = None
        if asked and not why:
            common = common_neighbours(a.neighbours[metric], b.neighbours[metric])
        for name in asked:
            scores_at = nps_scores if name.startswith("nps") else jaccard_scores
            for parameter in parameters(name):
                k = int(str(parameter).removeprefix("k="))
                if common is None or k > common.shape[1]:
                    few = f"{a.rows} rows have no {k} neighbours each."
                    yield Similarity(name, parameter, note=why or few)
                    continue
                scores = scores_at(common, k)
                bounds = (*mean_interval(scores), BOOTSTRAP) if intervals else (None, None, None)
                note = _ties(a, b, metric, k)
                yield Similarity(name, parameter, float(scores.mean()), *bounds, note)


def _ties(a: Summary, b: Summary, metric: str, k: int) -> str | None:
    """Return a note where the order of rows decides the neighbours of more than 1 % of them."""
    shares = [summary.tied[metric].get(k, 0.0) for summary in (a, b)]
    if max(shares) <= _FEW_TIES:
        return None
    told = " and ".join(f"{share:.0%}" for share in shares)
    return (
        f"ties: of {told} of the rows of the two models the {k}th and the next nearest are at one "
        "distance, and the order of rows decides."
    )


def _of_pairs(
    a: Summary, b: Summary, names: Iterable[str], intervals: bool
) -> Iterator[Similarity]:
    makers: dict[str, tuple[Callable[[], float], Callable[[], np.ndarray]]] = {
        "kernel_cka": (
            lambda: kernel_cka_of(*_both(a.kernel, b.kernel)),
            lambda: kernel_cka_left_out(*_both(a.kernel, b.kernel)),
        ),
        "rsa": (
            lambda: rsa_of(*_both(a.ranks, b.ranks)),
            lambda: rsa_left_out(*_both(a.ranks, b.ranks)),
        ),
        "isotropy_delta": (
            lambda: abs(a.isotropy - b.isotropy),
            lambda: abs(np.subtract(*_both(a.isotropies_left_out, b.isotropies_left_out))),
        ),
    }
    for name, (make, leave_out) in makers.items():
        if name not in names:
            continue
        [parameter] = parameters(name)
        if why := _missing(a, b, MEASURES[name].part):
            yield Similarity(name, parameter, note=why)
        elif not intervals:
            yield Similarity(name, parameter, make())
        elif a.rows < 2 * BLOCKS:
            yield Similarity(name, parameter, make(), note=_few(a.rows))
        else:
            yield _with_jackknife(name, parameter, make(), leave_out())


def _with_jackknife(
    name: str, parameter: str | None, value: float, leave_out: np.ndarray
) -> Similarity:
    if not np.isfinite(leave_out).all():
        why = "interval: undefined with a block of rows left out."
        return Similarity(name, parameter, value, note=why)
    low, high = jackknife_interval(value, leave_out, MEASURES[name].bounds)
    return Similarity(name, parameter, value, low, high, JACKKNIFE)


def _few(rows: int) -> str:
    return f"interval: {rows} rows; a block jackknife needs {2 * BLOCKS}."


def _missing(a: Summary, b: Summary, part: str) -> str | None:
    """Return why a part is missing in a summary."""
    for which, summary in (("first", a), ("second", b)):
        if part in summary.undefined:
            return f"{which} model: {summary.undefined[part]}"
    return None


def _both(a: np.ndarray | None, b: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    assert a is not None and b is not None, "a part that is not undefined is there"
    return a, b
