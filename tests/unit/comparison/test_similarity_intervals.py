"""Intervals: equal to recomputing from scratch, seeded, and covering the truth as often as said."""

from __future__ import annotations

import numpy as np
import pytest

from semasia.comparison.similarity import (
    Blocks,
    Sampling,
    compare,
    isotropy_delta,
    isotropy_spectral_delta,
    jackknife_blocks,
    jackknife_interval,
    linear_cka,
    neighbour_jaccard,
    nps,
    procrustes_distance,
    pwcca,
    rsa,
    subspace_overlap,
    summarise,
    svcca,
    unbiased_linear_cka,
)
from semasia.comparison.similarity.linear import LINEAR

CKA = ("linear_cka", "unbiased_linear_cka")


def related(rng: np.random.Generator, n: int, a: int, b: int) -> tuple[np.ndarray, np.ndarray]:
    hidden = rng.standard_normal((n, 12)) * np.linspace(3, 0.5, 12)
    A, B = (hidden @ rng.standard_normal((12, d)) + rng.standard_normal((n, d)) for d in (a, b))
    return A + 5, B


@pytest.mark.parametrize(("n", "a", "b"), [(150, 20, 14), (90, 200, 14), (75, 150, 160)])
def test_the_jackknife_equals_leaving_blocks_out(
    n: int, a: int, b: int, rng: np.random.Generator
) -> None:
    A, B = related(rng, n, a, b)
    functions = {
        ("linear_cka", None): linear_cka,
        ("unbiased_linear_cka", None): unbiased_linear_cka,
        ("svcca", "variance=0.99"): svcca,
        ("pwcca", "weights=a"): pwcca,
        ("pwcca", "weights=b"): lambda A, B: pwcca(B, A),
        ("subspace_overlap", "k=10"): subspace_overlap,
        ("procrustes_distance", None): procrustes_distance,
        ("isotropy_spectral_delta", None): isotropy_spectral_delta,
        ("isotropy_delta", None): isotropy_delta,
        ("rsa", None): rsa,
    }
    blocks = jackknife_blocks(np.arange(n, dtype=np.uint32))
    remainders = [np.delete(np.arange(n), block) for block in blocks.members()]
    known = {
        key: jackknife_interval(
            function(A, B), np.array([function(A[r], B[r]) for r in remainders]), (0, 2)
        )
        for key, function in functions.items()
    }
    names = {name for name, _ in functions}
    assert names >= set(LINEAR)
    found = compare(summarise(A, names), summarise(B, names), intervals=True)
    assert len(found) == len(functions)
    for s in found:
        low, high = known[s.measure, s.parameter]
        high = high if "distance" in s.measure else min(high, 1.0)
        assert (s.low, s.high) == pytest.approx((low, high), abs=1e-6), s.measure
        assert s.interval == (
            f"block jackknife, 20 blocks, t; of the mean at {n} rows, rows drawn at random"
        )
    few = compare(summarise(A, CKA), summarise(B, CKA), intervals=True)
    for s, other in zip(found[:2], few, strict=True):
        assert (s.low, s.high) == pytest.approx((other.low, other.high), abs=1e-6)


def test_the_jackknife_of_a_mean_is_its_standard_error(rng: np.random.Generator) -> None:
    values = rng.standard_normal(20)
    left_out = np.array([np.delete(values, i).mean() for i in range(20)])
    half = 2.093024 * values.std(ddof=1) / np.sqrt(20)
    low, high = jackknife_interval(values.mean(), left_out, (-9, 9))
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=1e-6)
    assert jackknife_interval(values.mean(), left_out, (values.mean(), 9))[0] == values.mean()


def test_blocks_are_of_ids_and_of_equal_size(rng: np.random.Generator) -> None:
    ids = np.sort(rng.choice(10_000, 407, replace=False)).astype(np.uint32)
    classes = rng.integers(0, 7, 407)
    order = rng.permutation(407)
    for labels in (None, classes):
        of = jackknife_blocks(ids, labels).of
        again = jackknife_blocks(ids[order], None if labels is None else labels[order]).of
        np.testing.assert_array_equal(of[order], again)
        sizes = np.bincount(of, minlength=20)
        assert sizes.max() - sizes.min() <= 1
    for label in range(7):
        parts = np.bincount(of[classes == label], minlength=20)
        assert parts.max() - parts.min() <= 1


CENTRES = np.random.default_rng(7).standard_normal((10, 6)) * 2.5


def drawn(rng: np.random.Generator, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    A = CENTRES[labels] + rng.standard_normal((len(labels), 6))
    return A, A @ np.linspace(0.2, 1.4, 30).reshape(6, 5) + rng.standard_normal((len(labels), 5))


@pytest.mark.parametrize("order", ["random", "sorted by class"])
@pytest.mark.parametrize("sampling", ["rows", "classes"])
def test_the_jackknife_covers_under_the_sampling_that_is_meant(sampling: str, order: str) -> None:
    """Of rows drawn at random, and of fixed numbers of each class; the order of rows is nothing."""
    rng = np.random.default_rng(11)
    n, repeats = 300, 250
    found = []
    for _ in range(repeats):
        fixed = np.repeat(np.arange(10), n // 10)
        labels = rng.integers(0, 10, n) if sampling == "rows" else rng.permutation(fixed)
        labels = np.sort(labels) if order == "sorted by class" else labels
        ids = rng.choice(2**31, n, replace=False).astype(np.uint32)
        blocks = jackknife_blocks(ids, labels if sampling == "classes" else None)
        [s] = compare(*(summarise(Z, CKA[1:], blocks) for Z in drawn(rng, labels)), intervals=True)
        found.append((s.value, s.low, s.high))
    values, low, high = np.array(found).T
    covered = np.mean((low <= values.mean()) & (values.mean() <= high))
    # 92 to 98 %, and two standard errors of this simulation.
    assert 0.92 - 0.028 <= covered <= 0.98 + 0.018


@pytest.mark.parametrize("name", ["nps_euclidean", "nps_cosine", "neighbour_jaccard_cosine"])
def test_neighbours_are_found_anew_without_each_block(name: str, rng: np.random.Generator) -> None:
    n = 130
    A, B = related(rng, n, 20, 14)
    A[40:44] = A[3]
    metric = name.rsplit("_", 1)[1]
    blocks = jackknife_blocks(np.arange(n, dtype=np.uint32))
    for s in compare(summarise(A, [name]), summarise(B, [name]), intervals=True):
        k = int(str(s.parameter).removeprefix("k="))

        def value(rows: np.ndarray, k: int = k) -> float:
            if name.startswith("nps"):
                return nps(A[rows], B[rows], [k], metric)[k]
            return neighbour_jaccard(A[rows], B[rows], k, metric)

        left = np.array([value(np.delete(np.arange(n), block)) for block in blocks.members()])
        known = jackknife_interval(value(np.arange(n)), left, (0, 1))
        assert (s.low, s.high) == pytest.approx(known, abs=1e-12)
        assert s.bias == pytest.approx(19 * (left.mean() - value(np.arange(n))))


def test_lists_are_made_longer_where_a_block_takes_too_many(rng: np.random.Generator) -> None:
    """Blocks are dealt by ids, and ids may follow the data after all."""
    n = 2000
    Z = np.sort(rng.random((n, 1)), axis=0)
    of = (np.arange(n) * 20 // n).astype(np.uint8)
    summary = summarise(Z, ["nps_euclidean"], Blocks(of, Sampling.ROWS))
    lists = summary.neighbours["euclidean"]
    stay = (of[lists] != of[:, None]).sum(axis=1)
    assert stay.min() >= 0 and lists.shape[1] > 75
    [*found] = compare(summary, summary, intervals=True)
    assert all(s.low == s.value == s.high == 1 for s in found)


def test_neighbour_intervals_cover_their_mean() -> None:
    mix = np.random.default_rng(0).standard_normal((12, 12))
    names = ["nps_cosine", "neighbour_jaccard_euclidean"]
    found: dict[tuple[str, str | None], list[tuple]] = {}
    for seed in range(120):
        rng = np.random.default_rng(seed + 1)
        A = rng.standard_normal((200, 12)) * np.linspace(2, 0.3, 12)
        B = A @ mix / 3 + 0.6 * rng.standard_normal((200, 12))
        for s in compare(summarise(A, names), summarise(B, names), intervals=True):
            found.setdefault((s.measure, s.parameter), []).append((s.value, s.low, s.high))
    for key, rows in found.items():
        values, low, high = np.array(rows).T
        # Conservative where k is small (docs/methods-comparison.md).
        assert np.mean((low <= values.mean()) & (values.mean() <= high)) >= 0.92, key


def test_kernel_cka_leaves_blocks_out_at_one_bandwidth(rng: np.random.Generator) -> None:
    A, B = related(rng, 130, 20, 14)

    def kernel(Z: np.ndarray) -> np.ndarray:
        distances = np.linalg.norm(Z[:, None] - Z[None], axis=-1)
        median = np.median(distances[np.triu_indices(len(Z), 1)])
        return np.exp(-np.square(distances) / (2 * (0.4 * median) ** 2))

    K, L = kernel(A), kernel(B)

    def cka(rows: np.ndarray) -> float:
        H = np.eye(len(rows)) - 1 / len(rows)
        k, m = (H @ whole[np.ix_(rows, rows)] @ H for whole in (K, L))
        return float((k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum()))

    blocks = jackknife_blocks(np.arange(130, dtype=np.uint32))
    left = np.array([cka(np.delete(np.arange(130), block)) for block in blocks.members()])
    known = jackknife_interval(cka(np.arange(130)), left, (0, 1))
    [s] = compare(summarise(A, ["kernel_cka"]), summarise(B, ["kernel_cka"]), intervals=True)
    assert s.value == pytest.approx(cka(np.arange(130)), abs=1e-9)
    assert (s.low, s.high) == pytest.approx(known, abs=1e-9)


def test_every_measure_has_an_interval_and_few_rows_say_so(rng: np.random.Generator) -> None:
    A, B = related(rng, 120, 20, 14)
    for s in compare(summarise(A), summarise(B), intervals=True):
        if s.value is not None:
            assert s.low is not None and s.high is not None, s.measure
            assert s.low <= s.value <= s.high, s.measure
    for s in compare(summarise(A[:39]), summarise(B[:39]), intervals=True):
        if s.value is not None:
            assert s.low is None and "interval: 39 rows; a block jackknife needs 40." in s.note
    for s in compare(*(summarise(Z[:52], ["nps_cosine"]) for Z in (A, B)), intervals=True):
        assert s.value is not None and (s.low is None) == (s.parameter == "k=50")
