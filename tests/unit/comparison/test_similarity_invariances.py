"""Every measure has the invariances that it declares, and no other; sanity checks of the paper."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from semasia.comparison.similarity import MEASURES, Invariance, compare, nps, summarise
from semasia.comparison.similarity.neighbourhoods import NPS_K

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def turned(Z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    d = Z.shape[1]
    return Z @ np.linalg.qr(rng.standard_normal((d, d)))[0]


def mixed(Z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    d = Z.shape[1]
    return Z @ (rng.standard_normal((d, d)) + np.diag(rng.uniform(0.5, 5, d)))


# Of one space; the two others are of both.
CHANGES: dict[Invariance, Change] = {
    Invariance.TRANSLATION: lambda Z, r: Z + 3 * r.standard_normal(Z.shape[1]),
    Invariance.ISOTROPIC_SCALING: lambda Z, r: Z * r.uniform(0.01, 100),
    Invariance.PERMUTATION_OF_DIMENSIONS: lambda Z, r: Z[:, r.permutation(Z.shape[1])],
    Invariance.ROTATION: turned,
    Invariance.INVERTIBLE_LINEAR: mixed,
    Invariance.SCALING_OF_ROWS: lambda Z, r: Z * r.uniform(0.1, 10, (len(Z), 1)),
}


def spaces(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    hidden = rng.standard_normal((70, 12))
    A, B = (
        hidden @ rng.standard_normal((12, d)) + rng.standard_normal((70, d)) + 0.3 for d in (13, 15)
    )
    return A * np.linspace(0.3, 2, 13), B


def values(measure: str, A: np.ndarray, B: np.ndarray) -> np.ndarray:
    found = compare(summarise(A, [measure]), summarise(B, [measure]))
    return np.array([s.value for s in found], float)


def changed_values(
    measure: str, invariance: Invariance, A: np.ndarray, B: np.ndarray, rng: np.random.Generator
) -> list[np.ndarray]:
    """Values after the change to the first space, and after the change to the second."""
    if invariance is Invariance.EXCHANGE:
        return [values(measure, B, A)]
    if invariance is Invariance.PERMUTATION_OF_ROWS_JOINTLY:
        order = rng.permutation(len(A))
        return [values(measure, A[order], B[order])]
    change = CHANGES[invariance]
    return [values(measure, change(A, rng), B), values(measure, A, change(B, rng))]


@pytest.mark.parametrize("measure", MEASURES)
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_declared_invariances_hold(measure: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    A, B = spaces(rng)
    base = values(measure, A, B)
    for invariance in sorted(MEASURES[measure].invariances):
        for found in changed_values(measure, invariance, A, B, rng):
            assert found == pytest.approx(base, rel=1e-6, abs=1e-9), invariance


@pytest.mark.parametrize("measure", MEASURES)
def test_no_other_invariance_holds(measure: str, rng: np.random.Generator) -> None:
    A, B = spaces(rng)
    base = values(measure, A, B)
    for invariance in sorted(set(Invariance) - MEASURES[measure].invariances):
        found = changed_values(measure, invariance, A, B, rng)
        assert max(np.abs(f - base).max() for f in found) > 1e-3, invariance


@pytest.mark.parametrize("measure", MEASURES)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(52, 90))
def test_values_are_in_the_range_that_is_declared(measure: str, seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    A, B = rng.standard_normal((rows, 12)), rng.standard_t(2, (rows, 80))
    low, high = MEASURES[measure].bounds
    for pair in ((A, B), (A, A), (B, B), (A, -A)):
        found = values(measure, *pair)
        assert (low <= found).all()
        assert (found <= high).all()


@pytest.mark.parametrize("measure", MEASURES)
def test_a_space_agrees_with_itself(measure: str, rng: np.random.Generator) -> None:
    best = 0.0 if "distance" in measure or "delta" in measure else 1.0
    for A in (spaces(rng)[0], rng.standard_normal((60, 200)).astype(np.float32)):
        assert values(measure, A, A) == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_nps_of_the_same_space_is_one(metric: str, kind: type) -> None:
    A = load_digits().data[:300].astype(kind)
    assert nps(A, A, NPS_K, metric) == dict.fromkeys(NPS_K, 1.0)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_nps_survives_a_rotation(metric: str, rng: np.random.Generator) -> None:
    A = rng.standard_normal((300, 64))
    assert nps(A, turned(A, rng), NPS_K, metric) == dict.fromkeys(NPS_K, 1.0)
    rounded = nps(A.astype(np.float32), turned(A, rng).astype(np.float32), NPS_K, metric)
    assert min(rounded.values()) > 0.999


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_nps_of_permuted_rows_is_that_of_chance(metric: str, rng: np.random.Generator) -> None:
    n, repeats = 300, 10
    A = rng.standard_normal((n, 64))
    found = [nps(A, A[rng.permutation(n)], NPS_K, metric) for _ in range(repeats)]
    for k in NPS_K:
        chance = k / (n - 1)
        # The overlap of one row is hypergeometric; rows are taken as independent, hence the 5.
        variance = chance * (1 - chance) * (n - 1 - k) / (n - 2) / k
        mean = np.mean([f[k] for f in found])
        assert mean == pytest.approx(chance, abs=5 * np.sqrt(variance / (n * repeats))), k
