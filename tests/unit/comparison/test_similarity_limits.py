"""What is undefined gets an error or a note; and values far from the origin."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from operator import itemgetter
from typing import Any

import numpy as np
import pytest

from semasia.comparison import similarity
from semasia.comparison.pairing import Anchor
from semasia.comparison.similarity import (
    MEASURES,
    SIMILARITY_COLUMNS,
    compare,
    jackknife_blocks,
    kernel_cka,
    linear_cka,
    neighbourhoods,
    nps,
    pairwise_linear_cka,
    rsa,
    similarity_rows,
    subspace_overlap,
    summarise,
    unbiased_linear_cka,
)
from semasia.comparison.similarity.distances import KERNEL_ROWS, RSA_ROWS, sample
from semasia.errors import ComparisonError, DegenerateEmbeddingError
from semasia.tables import frame_of

FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    name: getattr(similarity, name)
    for name in similarity.__all__
    if name in {*MEASURES, "nps", "neighbour_jaccard"}
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_bad_input_gets_one_error(name: str, rng: np.random.Generator) -> None:
    measure = FUNCTIONS[name]
    A, B = rng.standard_normal((60, 12)), rng.standard_normal((60, 15))
    spoiled = A.copy()
    spoiled[37, 3] = np.nan
    with pytest.raises(DegenerateEmbeddingError, match="row 37 is not finite"):
        measure(B, spoiled)
    with pytest.raises(ComparisonError, match="60 rows and 59 rows"):
        measure(A, B[1:])
    with pytest.raises(ComparisonError, match="1 rows"):
        measure(A[:1], B[:1])
    if "neighbour" not in name and name != "nps":
        with pytest.raises(DegenerateEmbeddingError, match="all 60 rows coincide"):
            measure(A, np.ones((60, 3)))


def test_every_measure_has_a_function() -> None:
    named = {name.removesuffix("_cosine").removesuffix("_euclidean") for name in MEASURES}
    assert set(FUNCTIONS) == named


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_mean_a_thousand_times_the_spread_changes_nothing(
    kind: type, rng: np.random.Generator
) -> None:
    # Whole multiples of 2⁻¹⁰, so that adding the mean rounds nothing away in float32.
    A, B = (np.round(rng.standard_normal((200, d)) * 1024) / 1024 for d in (12, 20))
    B[:, :12] += A
    base = compare(summarise(A), summarise(B))
    moved = compare(summarise((A + 1000).astype(kind)), summarise((B - 1000).astype(kind)))
    for known, found in zip(base, moved, strict=True):
        if "cosine" not in known.measure:
            assert found.value == pytest.approx(known.value, abs=1e-6), known.measure


def test_values_may_be_as_large_or_small_as_floats_are(rng: np.random.Generator) -> None:
    A, B = rng.standard_normal((80, 12)), rng.standard_normal((80, 14))
    base = [s.value for s in compare(summarise(A), summarise(B))]
    for scale in (1e200, 1e-200):
        found = [s.value for s in compare(summarise(scale * A), summarise(B))]
        assert found == pytest.approx(base, abs=1e-6)


def test_few_rows_are_refused_where_a_measure_needs_more(rng: np.random.Generator) -> None:
    A = rng.standard_normal((3, 12))
    with pytest.raises(ComparisonError, match="3 rows; the unbiased estimate"):
        unbiased_linear_cka(A, A)
    with pytest.raises(ComparisonError, match="a space has 2 directions; 10 are needed"):
        subspace_overlap(A, A)
    with pytest.raises(ComparisonError, match="5 neighbours of 3 rows: at least 6 are needed"):
        nps(A, A, [5])


def test_what_has_no_order_or_no_spread_is_refused(rng: np.random.Generator) -> None:
    A, simplex = rng.standard_normal((12, 12)), np.eye(12)
    with pytest.raises(ComparisonError, match="all distances are equal"):
        rsa(np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]]))
    with pytest.raises(ComparisonError, match="the unbiased HSIC of a space with itself is zero"):
        unbiased_linear_cka(A, simplex.astype(np.float32))
    with pytest.raises(ComparisonError, match="singular values 10 and 11 of a space are equal"):
        subspace_overlap(A, simplex)
    most = np.repeat(A, [30, *[1] * 11], axis=0)
    with pytest.raises(ComparisonError, match="half of the distances are zero"):
        kernel_cka(most, most)


def test_a_row_of_zeros_has_no_cosine(rng: np.random.Generator) -> None:
    A = rng.standard_normal((60, 12))
    A[[8, 20]] = 0
    with pytest.raises(ComparisonError, match=r"row 8 is zero and has no cosine \(2 such rows\)"):
        nps(A, A)
    found = {s.measure: s for s in compare(summarise(A), summarise(A))}
    assert found["nps_cosine"].value is None
    assert found["nps_cosine"].note == (
        "first model: row 8 is zero and has no cosine (2 such rows)."
    )
    assert found["nps_euclidean"].value == 1


def test_all_pairs_name_the_model_that_fails(rng: np.random.Generator) -> None:
    A = rng.standard_normal((30, 4))
    with pytest.raises(DegenerateEmbeddingError, match="model 1: all 30 rows coincide"):
        pairwise_linear_cka([A, np.ones((30, 2))])
    with pytest.raises(ComparisonError, match="models 0 and 1: 30 rows and 29 rows"):
        pairwise_linear_cka([A, A[1:]])


def test_a_comparison_refuses_what_a_summary_lacks(rng: np.random.Generator) -> None:
    A = rng.standard_normal((30, 4))
    with pytest.raises(ComparisonError, match=r"no measure 'linear_ck'. Did you mean linear_cka"):
        summarise(A, ["linear_ck"])
    with pytest.raises(ComparisonError, match="a summary was not made for 'rsa'"):
        compare(summarise(A), summarise(A, ["linear_cka"]), ["rsa"])


@pytest.mark.parametrize("intervals", [False, True])
def test_rows_of_all_pairs(intervals: bool, rng: np.random.Generator) -> None:
    hidden = rng.standard_normal((80, 12))
    latents = {
        m: hidden @ rng.standard_normal((12, d)) for m, d in (("a", 12), ("b", 20), ("d", 14))
    }
    latents["c"] = np.ones((80, 3))

    def load(model: str) -> np.ndarray:
        if model == "e":
            raise ComparisonError("no such file.")
        return latents[model]

    anchor = Anchor.of(np.arange(200, dtype=np.uint32), 80)
    known = ("tiny", "test", anchor)
    asked = {"intervals": lambda a, b: intervals}
    rows = list(similarity_rows(*known, "abcde", "abcde", load, **asked))
    groups = ("ab", "cd", "e")
    blocked = [
        row
        for place, second in enumerate(groups)
        for first in groups[: place + 1]
        for row in similarity_rows(*known, first, second, load, **asked)
    ]
    order = itemgetter("model_a", "model_b")
    assert sorted(rows, key=order) == sorted(blocked, key=order)
    frame = frame_of(rows, SIMILARITY_COLUMNS)
    assert frame.height == 10 * (len(MEASURES) + 1 + 2 * 3)
    for row in rows:
        assert tuple(row) == tuple(SIMILARITY_COLUMNS)
        assert (row["value"] is None) == bool({"c", "e"} & {row["model_a"], row["model_b"]})
        assert row["value"] is not None or row["note"]
        assert row["anchor"] == anchor.key
        assert row["anchor_rows"] == 80
        if row["low"] is not None:
            assert row["interval"]
            assert row["low"] <= row["value"] <= row["high"]
    notes = {row["note"] for row in rows if (row["model_a"], row["model_b"]) == ("c", "e")}
    assert notes == {"c: all 80 rows coincide: every measure is undefined. e: no such file."}


def test_an_interval_that_a_block_decides_is_left_out_with_a_note(rng: np.random.Generator) -> None:
    A, B = np.zeros((100, 12)), rng.standard_normal((100, 12))
    block = jackknife_blocks(np.arange(100, dtype=np.uint32)).of == 3
    A[block] = rng.standard_normal((5, 12))
    names = ["linear_cka", "subspace_overlap"]
    found = compare(summarise(A, names), summarise(B, names), intervals=True)
    assert found[0].value is not None
    assert found[0].low is found[0].high is found[0].interval is None
    assert found[0].note == (
        "interval: all rows of a space coincide with a block of rows left out."
    )
    assert found[1].value is None
    assert found[1].note == "a space has 5 directions; 10 are needed."


def test_measures_of_pairs_take_a_sample_of_many_rows(rng: np.random.Generator) -> None:
    A = rng.standard_normal((2300, 5))
    B = A + rng.standard_normal((2300, 5))
    for measure, most in ((kernel_cka, KERNEL_ROWS), (rsa, RSA_ROWS)):
        first, second = sample(A, most), sample(B, most)
        assert first.shape == (most, 5)
        assert np.array_equal(np.isin(A, first).all(1), np.isin(B, second).all(1))
        assert measure(A, B) == measure(first, second)


def test_lists_are_compared_block_by_block(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    A = rng.standard_normal((100, 5))
    B = A + rng.standard_normal((100, 5))
    whole = nps(A, B)
    monkeypatch.setattr(neighbourhoods, "_ROWS", 7)
    assert nps(A, B) == whole


def test_copies_of_rows_are_each_others_neighbours(rng: np.random.Generator) -> None:
    A = np.repeat(rng.standard_normal((40, 5)), 6, axis=0)
    B = np.repeat(rng.standard_normal((40, 8)), 6, axis=0)
    assert nps(A, B, [5], "euclidean") == {5: 1.0}
    assert nps(A, B, [5], "cosine") == {5: 1.0}
    assert nps(A, A) == dict.fromkeys((5, 10, 25, 50), 1.0)


def test_some_measures_of_whole_summaries(rng: np.random.Generator) -> None:
    A, B = rng.standard_normal((90, 30)), rng.standard_normal((90, 12))
    a, b = summarise(A), summarise(B)
    whole = {(s.measure, s.parameter): s.value for s in compare(a, b)}
    for name in MEASURES:
        for s in compare(a, b, [name]):
            assert s.value == pytest.approx(whole[s.measure, s.parameter], abs=1e-12)


def test_a_width_of_ten_thousand_needs_no_matrix_of_its_square(rng: np.random.Generator) -> None:
    B = rng.standard_normal((300, 64), dtype=np.float32)
    A = B @ rng.standard_normal((64, 10_444), dtype=np.float32)
    A += rng.standard_normal(A.shape, dtype=np.float32)
    tracemalloc.start()
    try:
        found = {s.measure: s for s in compare(summarise(A), summarise(B))}
        alone = linear_cka(A, B)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * A.size * 8 < 10_444**2 * 8
    assert all(s.value is not None for s in found.values())
    K, L = (Z.astype(np.float64) - Z.mean(0, dtype=np.float64) for Z in (A, B))
    K, L = K @ K.T, L @ L.T
    known = (K * L).sum() / np.linalg.norm(K) / np.linalg.norm(L)
    assert alone == pytest.approx(known, abs=1e-6)
    assert found["linear_cka"].value == pytest.approx(known, abs=1e-6)


def test_few_rows_give_notes_in_the_table(rng: np.random.Generator) -> None:
    A = rng.standard_normal((12, 3))
    anchor = Anchor.of(np.arange(12, dtype=np.uint32))
    rows = list(
        similarity_rows("tiny", "test", anchor, "a", "b", lambda m: A, intervals=lambda a, b: True)
    )
    notes = {(row["measure"], row["parameter"]): row["note"] for row in rows}
    assert notes["nps_cosine", "k=10"] == (
        "interval: 12 rows; a block jackknife needs 40. "
        "unrelated spaces of these shapes reach 0.91 on average at 12 rows."
    )
    assert notes["nps_cosine", "k=25"] == "12 rows have no 25 neighbours each."
    assert notes["subspace_overlap", "k=10"] == "a space has 3 directions; 10 are needed."
    assert notes["linear_cka", None] == "interval: 12 rows; a block jackknife needs 40."
