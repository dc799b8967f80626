"""The choice of rows for a capped split: its size, its shares, and that it never moves."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semasia.inputs import PreparedSplit
from semasia.inputs.selection import hashed, select_rows
from semasia.recipes import SELECTION

from unit.inputs import tiny_hub

Rows = tuple[np.ndarray, np.ndarray]


@st.composite
def rows(draw: st.DrawFn) -> Rows:
    """Ids ascending with gaps, and a class of each row."""
    strata = draw(st.lists(st.integers(-1, 6), min_size=1, max_size=60))
    gaps = draw(st.lists(st.integers(1, 10**6), min_size=len(strata), max_size=len(strata)))
    return np.cumsum(gaps).astype(np.uint32), np.array(strata, np.int64)


def splitmix64(x: int) -> int:
    """Hash 64 bits in plain integers, after Steele, Lea & Flood (2014)."""
    mask = (1 << 64) - 1
    z = (x + 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


def shares(counts: list[int], cap: int) -> list[int]:
    """Return the largest-remainder shares in exact fractions; ties go to the smaller stratum."""
    exact = [Fraction(count * cap, sum(counts)) for count in counts]
    result = [int(share) for share in exact]
    order = sorted(range(len(counts)), key=lambda i: (result[i] - exact[i], i))
    for i in order[: cap - sum(result)]:
        result[i] += 1
    return result


def test_the_reference_hash_is_splitmix64():
    """The first two outputs of the published generator from seed 0."""
    assert splitmix64(0) == 0xE220A8397B1DCDAF
    assert splitmix64(0x9E3779B97F4A7C15) == 0x6E789E6AA1B965F4


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_the_hash_of_an_array_is_that_of_plain_integers(values: list[int]):
    found = hashed(np.array(values, np.uint64))
    assert found.tolist() == [splitmix64(value) for value in values]


@given(rows(), st.integers(1, 80), st.booleans())
def test_size_order_and_dtype(data: Rows, cap: int, stratified: bool):
    ids, strata = data
    chosen = select_rows(ids, strata if stratified else None, cap)
    assert chosen.dtype == np.int64
    assert len(chosen) == min(cap, len(ids))
    assert np.all(np.diff(chosen) > 0)
    assert np.all((chosen >= 0) & (chosen < len(ids)))


@given(rows(), st.integers(1, 80), st.booleans())
def test_the_same_rows_every_time(data: Rows, cap: int, stratified: bool):
    ids, strata = data
    classes = strata if stratified else None
    again = select_rows(ids.copy(), None if classes is None else classes.copy(), cap)
    assert np.array_equal(select_rows(ids, classes, cap), again)


@given(rows(), st.integers(0, 20))
def test_a_cap_of_all_rows_or_more_keeps_all(data: Rows, more: int):
    ids, strata = data
    assert select_rows(ids, strata, len(ids) + more).tolist() == list(range(len(ids)))


@given(rows(), st.integers(1, 60))
def test_each_class_has_its_share_within_one_row(data: Rows, cap: int):
    ids, strata = data
    cap = min(cap, len(ids))
    chosen = strata[select_rows(ids, strata, cap)]
    for value in np.unique(strata):
        exact = Fraction(int(np.sum(strata == value)) * cap, len(ids))
        assert abs(int(np.sum(chosen == value)) - exact) < 1


@given(rows(), st.integers(1, 60), st.booleans(), st.randoms())
def test_the_order_of_rows_does_not_matter(data: Rows, cap: int, stratified: bool, random):
    ids, strata = data
    order = list(range(len(ids)))
    random.shuffle(order)
    plain = select_rows(ids, strata if stratified else None, cap)
    shuffled = select_rows(ids[order], strata[order] if stratified else None, cap)
    assert set(ids[plain].tolist()) == set(ids[order][shuffled].tolist())


@given(rows(), st.integers(1, 60), st.integers(1, 60))
def test_a_smaller_choice_lies_within_a_larger_one(data: Rows, a: int, b: int):
    ids, _ = data
    small, large = (select_rows(ids, None, cap) for cap in sorted((a, b)))
    assert set(small) <= set(large)


@given(rows(), st.integers(1, 60), st.integers(1, 60))
def test_a_smaller_stratified_choice_loses_at_most_one_row_of_a_class(data: Rows, a: int, b: int):
    ids, strata = data
    small, large = (select_rows(ids, strata, cap) for cap in sorted((a, b)))
    for value in np.unique(strata):
        mine, theirs = (set(chosen[strata[chosen] == value]) for chosen in (small, large))
        assert mine <= theirs or (theirs < mine and len(mine - theirs) == 1)


@given(rows(), st.integers(1, 60))
def test_rows_of_a_class_are_those_of_the_lowest_hash(data: Rows, cap: int):
    ids, strata = data
    chosen = set(select_rows(ids, strata, cap).tolist())
    for value in np.unique(strata):
        members = np.flatnonzero(strata == value).tolist()
        ranked = sorted(members, key=lambda i: splitmix64(int(ids[i])))
        kept = sum(i in chosen for i in members)
        assert chosen & set(members) == set(ranked[:kept])


@pytest.mark.parametrize(
    ("counts", "cap"),
    [([7, 7, 6], 7), ([5, 5, 5], 1), ([5, 5, 5], 2), ([10, 3, 1], 4), ([4, 1, 1], 2)],
)
def test_equal_remainders_go_to_the_smaller_class(counts: list[int], cap: int):
    strata = np.repeat(np.arange(len(counts)), counts)
    chosen = strata[select_rows(np.arange(len(strata), dtype=np.uint32), strata, cap)]
    assert np.bincount(chosen, minlength=len(counts)).tolist() == shares(counts, cap)


def test_the_recipe_is_this_one():
    """Raise `recipes.SELECTION` if this changes: every capped split then holds other rows."""
    ids = np.arange(20, dtype=np.uint32)
    assert select_rows(ids, (ids % 3).astype(np.int64), 7).tolist() == [3, 5, 10, 11, 15, 16, 18]
    assert select_rows(ids, None, 7).tolist() == [3, 5, 7, 10, 11, 16, 18]


@settings(max_examples=20)
@given(st.integers(1, 10**6))
def test_the_recipe_of_a_large_split_follows_the_reference(start: int):
    ids = np.arange(start, start + 300, dtype=np.uint32)
    ranked = sorted(range(300), key=lambda i: splitmix64(start + i))
    assert select_rows(ids, None, 40).tolist() == sorted(ranked[:40])


# A capped split as prepared

Prepare = Callable[..., PreparedSplit]


def test_a_capped_split_keeps_ids_labels_and_images_together(prepare: Prepare):
    card = tiny_hub.card_of("digits")
    whole, part = prepare(card, "test", folder="whole"), prepare(card, "test", cap=50)
    places = np.searchsorted(whole.ids, part.ids)
    assert np.array_equal(whole.ids[places], part.ids)
    assert np.array_equal(whole.labels["label"][places], part.labels["label"])
    assert np.all(np.diff(part.ids.astype(np.int64)) > 0)
    for position, place in enumerate(places):
        theirs = np.asarray(whole.image(int(place)))
        assert np.array_equal(np.asarray(part.image(position)), theirs)
    assert (part.facts.rows, part.facts.source_rows) == (50, 355)
    assert part.facts.selection == {
        "rule": "hash-ranked",
        "recipe": SELECTION,
        "stratified_by": "label",
    }
    assert whole.facts.selection is None
    assert whole.facts.fingerprint != part.facts.fingerprint


def test_a_cap_as_large_as_the_split_is_no_selection(prepare: Prepare):
    card = tiny_hub.card_of("digits")
    whole, part = prepare(card, "test", folder="whole"), prepare(card, "test", cap=355)
    assert part.facts == whole.facts


def test_a_capped_split_has_each_class_in_proportion(prepare: Prepare):
    card = tiny_hub.card_of("digits")
    whole, part = prepare(card, "test", folder="whole"), prepare(card, "test", cap=50)
    exact = np.bincount(whole.labels["label"]) * 50 / 355
    assert np.all(np.abs(np.bincount(part.labels["label"], minlength=10) - exact) < 1)
