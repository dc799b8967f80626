"""Intervals: equal to recomputing from scratch, seeded, and covering the truth as often as said."""

from __future__ import annotations

import numpy as np
import pytest

from semasia.comparison.similarity import (
    compare,
    isotropy_delta,
    isotropy_spectral_delta,
    jackknife_interval,
    linear_cka,
    procrustes_distance,
    pwcca,
    rsa,
    subspace_overlap,
    summarise,
    svcca,
    unbiased_linear_cka,
)
from semasia.comparison.similarity.linear import LINEAR
from semasia.geometry.probes import mean_interval

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
    remainders = [np.flatnonzero(np.arange(n) % 20 != g) for g in range(20)]
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
        assert s.interval == "block jackknife, 20 blocks, normal"
    few = compare(summarise(A, CKA), summarise(B, CKA), intervals=True)
    for s, other in zip(found[:2], few, strict=True):
        assert (s.low, s.high) == pytest.approx((other.low, other.high), abs=1e-6)


def test_the_jackknife_of_a_mean_is_its_standard_error(rng: np.random.Generator) -> None:
    values = rng.standard_normal(20)
    left_out = np.array([np.delete(values, i).mean() for i in range(20)])
    half = 1.959964 * values.std(ddof=1) / np.sqrt(20)
    low, high = jackknife_interval(values.mean(), left_out, (-9, 9))
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=1e-6)
    assert jackknife_interval(values.mean(), left_out, (values.mean(), 9))[0] == values.mean()


def test_the_jackknife_covers_the_truth_about_as_often_as_it_says() -> None:
    # CKA of x and x + noise times W, in closed form from the covariances.
    rng = np.random.default_rng(1)
    d, n, repeats, noise = 4, 400, 400, 1.0
    W = rng.standard_normal((d, 5))
    cross, own = W, W.T @ W + noise * np.eye(5)
    truth = np.square(cross).sum() / np.sqrt(d * np.square(own).sum())
    covered = 0
    for _ in range(repeats):
        A = rng.standard_normal((n, d))
        B = A @ W + rng.standard_normal((n, 5))
        [found] = compare(*(summarise(Z, CKA[1:]) for Z in (A, B)), intervals=True)
        assert found.low is not None and found.high is not None
        covered += found.low <= truth <= found.high
    # Four standard errors of a share of 0.95, and one in a hundred for a normal interval.
    assert covered / repeats == pytest.approx(0.95, abs=0.01 + 4 * np.sqrt(0.95 * 0.05 / repeats))


def test_the_bootstrap_is_seeded_and_that_of_rows(rng: np.random.Generator) -> None:
    scores = rng.integers(0, 11, 500) / 10
    low, high = mean_interval(scores)
    assert (low, high) == mean_interval(rng.permutation(scores))
    means = scores[rng.integers(0, 500, (4000, 500))].mean(axis=1)
    assert (low, high) == pytest.approx(tuple(np.percentile(means, [2.5, 97.5])), abs=4e-3)
    assert mean_interval(np.ones(50)) == (1.0, 1.0)


def test_neighbour_measures_have_a_bootstrap(rng: np.random.Generator) -> None:
    A, B = related(rng, 300, 20, 14)
    names = ["nps_cosine", "neighbour_jaccard_euclidean"]
    found = compare(summarise(A, names), summarise(B, names), intervals=True)
    for s in found:
        assert s.low is not None and s.high is not None and s.value is not None
        assert s.low < s.value < s.high
        assert s.high - s.low < 0.1
        assert s.interval == "bootstrap of rows, 1,000 resamples, percentiles"


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

    left = np.array([cka(np.flatnonzero(np.arange(130) % 20 != g)) for g in range(20)])
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
        if s.value is not None and s.measure.split("_")[0] not in ("nps", "neighbour"):
            assert s.low is None and s.note == "interval: 39 rows; a block jackknife needs 40."
