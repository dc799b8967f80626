"""Every measure of one pair of models, from their summaries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from semasia.comparison.similarity.chance import (
    jaccard_chance,
    kernel_chance,
    neighbour_chance,
    note_on,
)
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
from semasia.comparison.similarity.intervals import BLOCKS, jackknife_bias, jackknife_interval
from semasia.comparison.similarity.leaving_out import Key, left_out
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
from semasia.errors import ComparisonError, DecompositionError

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
    value : float or None
    chance : float or None
        The mean of the value over all permutations of the rows of one space: what unrelated spaces
        of these shapes reach at these rows. None where permuting rows says nothing of a measure,
        or no closed form is known (Procrustes).
    low, high : float or None
        The 95 % interval of the mean of the value at this number of rows, where one was asked for.
    bias : float or None
        Of the value against that of ever more rows, as far as the jackknife extrapolates it; with
        an interval.
    interval : str or None
        How the interval was found, and how rows are meant to have come.
    note : str or None
        Why there is no value, or no interval, or what a value is not to be read without.
    """

    measure: str
    parameter: str | None
    value: float | None = None
    chance: float | None = None
    low: float | None = None
    high: float | None = None
    bias: float | None = None
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
    if not np.array_equal(a.blocks.of, b.blocks.of):
        raise ComparisonError("the two summaries leave other rows out together: give both blocks.")
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
    values: dict[Key, float] = {}
    for name, parameter in keys:
        try:
            values[name, parameter] = whole.value(name, parameter)
        except (ComparisonError, DecompositionError) as error:
            yield Similarity(name, parameter, note=str(error))
    remainders: dict[Key, np.ndarray] = {}
    notes: dict[Key, str] = {}
    if intervals_exist:
        assert cross is not None, "intervals are of the product"
        remainders, notes = left_out(a, b, cross, list(values))
    elif intervals:
        notes = dict.fromkeys(values, _few(a.rows))
    for key, value in values.items():
        found = Similarity(*key, value, whole.chance(key[0]))
        if key[0] == "isotropy_spectral_delta":
            found = _with_shape(found, [s for s in (a, b) if len(s.scales) < s.width], "span fewer")
        if key in notes:
            yield _noted(_with_note(found, f"interval: {notes[key]}"), a.rows)
        else:
            yield _noted(_with_jackknife(found, remainders.get(key), a), a.rows)


def _of_neighbours(
    a: Summary, b: Summary, names: Iterable[str], intervals: bool
) -> Iterator[Similarity]:
    for metric in METRICS:
        asked = [n for n in (f"nps_{metric}", f"neighbour_jaccard_{metric}") if n in names]
        if not asked:
            continue
        if why := _missing(a, b, f"neighbours_{metric}"):
            for name in asked:
                for parameter in parameters(name):
                    yield Similarity(name, parameter, note=why)
            continue
        lists = (a.neighbours[metric], b.neighbours[metric])
        keys = [(name, given, _k(given)) for name in asked for given in parameters(name)]
        common = common_neighbours(*lists)
        rest = _neighbours_left_out(a, lists, sorted({k for *_, k in keys})) if intervals else {}
        for name, parameter, k in keys:
            if k >= a.rows:
                few = f"{a.rows} rows have no {k} neighbours each."
                yield Similarity(name, parameter, note=few)
                continue
            of_common, chance = (
                (nps_scores, neighbour_chance)
                if name.startswith("nps")
                else (jaccard_scores, jaccard_chance)
            )
            value = float(of_common(common[:, k - 1], k).mean())
            tied = _ties(a, b, metric, k)
            found = Similarity(name, parameter, value, chance(a.rows, k), note=tied)
            if k in rest:
                left = np.array([of_common(counts, k).mean() for counts in rest[k]])
                found = _with_jackknife(found, left, a)
            elif intervals:
                few = _few(a.rows)
                if a.rows >= 2 * BLOCKS:
                    few = f"with a block of rows left out, rows have no {k} neighbours each."
                found = _with_note(found, f"interval: {few}")
            yield _noted(found, a.rows)


def _neighbours_left_out(
    a: Summary, lists: tuple[np.ndarray, np.ndarray], ks: list[int]
) -> dict[int, list[np.ndarray]]:
    """Return the numbers of common neighbours of the rows that stay, by k and block left out."""
    # Numba takes half a second to import.
    from semasia.neighbours import common_left_out

    least = a.rows - -(-a.rows // BLOCKS)
    ks = [k for k in ks if k < least]
    if a.rows < 2 * BLOCKS or not ks:
        return {}
    common = common_left_out(*lists, a.blocks.of, np.array(ks))
    return {
        k: [counts[a.blocks.of != block, place] for block, counts in enumerate(common)]
        for place, k in enumerate(ks)
    }


def _k(parameter: str | None) -> int:
    return int(str(parameter).removeprefix("k="))


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
            lambda: kernel_cka_left_out(*_both(a.kernel, b.kernel), a.blocks),
        ),
        "rsa": (
            lambda: rsa_of(*_both(a.ranks, b.ranks)),
            lambda: rsa_left_out(*_both(a.ranks, b.ranks), a.blocks),
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
            continue
        found, rows = Similarity(name, parameter, make()), a.rows
        if name == "kernel_cka":
            first, second = _both(a.kernel, b.kernel)
            rows = len(first)
            chance = kernel_chance(float(np.trace(first)), float(np.trace(second)), rows)
            found = found._replace(chance=chance)
        elif name == "rsa":
            found = found._replace(chance=0.0)
        elif name == "isotropy_delta":
            found = _with_shape(found, [s for s in (a, b) if s.isotropy == 0], "constant")
        if intervals and a.rows < 2 * BLOCKS:
            found = _with_note(found, f"interval: {_few(a.rows)}")
        elif intervals:
            found = _with_jackknife(found, leave_out(), a)
        yield _noted(found, rows)


def _with_jackknife(found: Similarity, left: np.ndarray | None, a: Summary) -> Similarity:
    """Add the interval, and what the value would lose with ever more rows."""
    if left is None:
        return found
    if not np.isfinite(left).all():
        return _with_note(found, "interval: undefined with a block of rows left out.")
    assert found.value is not None, "a value comes before its interval"
    low, high = jackknife_interval(found.value, left, MEASURES[found.measure].bounds)
    bias = jackknife_bias(found.value, left)
    return found._replace(low=low, high=high, bias=bias, interval=a.blocks.description)


def _noted(found: Similarity, rows: int) -> Similarity:
    """Add the note on what chance explains of a value."""
    assert found.value is not None, "a value comes before what chance explains of it"
    note = note_on(found.value, found.chance, rows)
    return _with_note(found, note) if note else found


def _with_shape(found: Similarity, decided: list[Summary], how: str) -> Similarity:
    """Add that the isotropy of a space is 0 by its shape."""
    if not decided:
        return found
    shapes = " and ".join(f"{s.rows} × {s.width}" for s in decided)
    why = {"span fewer": "span fewer dimensions than they have", "constant": "have constant ones"}
    return _with_note(found, f"decided by shape: rows of {shapes} {why[how]}: isotropy 0.")


def _with_note(found: Similarity, note: str) -> Similarity:
    return found._replace(note=f"{found.note} {note}" if found.note else note)


def _few(rows: int) -> str:
    return f"{rows} rows; a block jackknife needs {2 * BLOCKS}."


def _missing(a: Summary, b: Summary, part: str) -> str | None:
    """Return why a part is missing in a summary."""
    for which, summary in (("first", a), ("second", b)):
        if part in summary.undefined:
            return f"{which} model: {summary.undefined[part]}"
    return None


def _both(a: np.ndarray | None, b: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    assert a is not None and b is not None, "a part that is not undefined is there"
    return a, b
