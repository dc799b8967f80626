"""The k nearest neighbours against plain float64 search, ties and copies included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

from semasia.errors import DegenerateEmbeddingError
from semasia.neighbours import nearest_neighbours, search


def by_brute_force(Z: np.ndarray, k: int) -> np.ndarray:
    """Sort all others by (distance, index), in float64."""
    Z = np.asarray(Z, np.float64)
    found = []
    for i, z in enumerate(Z):
        squared = np.square(Z - z).sum(axis=1)
        order = np.lexsort((np.arange(len(Z)), squared))
        found.append(order[order != i][:k])
    return np.array(found)


def clusters(r: np.random.Generator, n: int = 700, d: int = 40) -> np.ndarray:
    return r.standard_normal((12, d))[r.integers(0, 12, n)] + 0.4 * r.standard_normal((n, d))


CASES = {
    "clusters": lambda r: clusters(r).astype(np.float32),
    "float64": clusters,
    "mean of 1,000 times the spread": lambda r: (clusters(r) + 1000).astype(np.float32),
    "more rows than a tile": lambda r: clusters(r, 2300, 10).astype(np.float32),
    "wide": lambda r: clusters(r, 60, 3000).astype(np.float32),
    "copies": lambda r: np.repeat(clusters(r, 100), 6, axis=0)[r.permutation(600)],
    "many copies of few": lambda r: np.repeat(clusters(r, 4), 50, axis=0)[r.permutation(200)],
    "all equal": lambda r: np.ones((40, 3), np.float32),
    "signed zeros": lambda r: r.choice([0.0, -0.0, 1.0], (100, 2)),
    "a lattice": lambda r: np.stack(np.meshgrid(range(20), range(20)), -1).reshape(-1, 2),
    "small integers": lambda r: r.integers(0, 3, (500, 4)),
    "all at one distance": lambda r: np.eye(60),
    "a line": lambda r: np.linspace(0, 1, 900)[:, None] ** 3,
    "a thin line in many dimensions": lambda r: (
        np.linspace(0, 1, 800)[:, None] * r.standard_normal(50)
        + 1e-7 * r.standard_normal((800, 50))
    ),
    "an outlier": lambda r: np.concatenate([clusters(r), np.full((1, 40), 1e8)]),
    "digits": lambda r: load_digits().data[:900],
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("k", [1, 10])
def test_equals_brute_force(case: str, k: int, rng: np.random.Generator) -> None:
    Z = CASES[case](rng)
    found = nearest_neighbours(Z, k)
    assert found.shape == (len(Z), k)
    assert np.array_equal(found, by_brute_force(Z, k))


@pytest.mark.parametrize("factor", [2.0**-600, 2.0**600, 2.0**-1020])
def test_neither_overflows_nor_vanishes(factor: float, rng: np.random.Generator) -> None:
    Z = clusters(rng, 200)
    assert np.array_equal(nearest_neighbours(Z * factor, 5), by_brute_force(Z, 5))


def test_equals_scikit_learn(rng: np.random.Generator) -> None:
    Z = clusters(rng)
    expected = NearestNeighbors(n_neighbors=10, algorithm="brute").fit(Z).kneighbors()[1]
    assert np.array_equal(nearest_neighbours(Z, 10), expected)


def test_every_level_of_the_search_is_exact(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bound that settles no row sends all of them on: to float64, and to the full scan."""
    Z = clusters(rng, 300).astype(np.float32)
    expected = by_brute_force(Z, 10)
    propose = search._candidates
    kinds, settling = [], []

    def unsettled(*arguments):
        kinds.append(arguments[-1])
        items, bounds = propose(*arguments)
        return items, bounds if kinds[-1] in settling else np.full(len(bounds), -np.inf)

    monkeypatch.setattr(search, "_candidates", unsettled)
    for kind in (np.float64, None):
        kinds.clear()
        settling[:] = [kind]
        assert np.array_equal(nearest_neighbours(Z, 10), expected)
        assert kinds == [np.float32, np.float64]


def test_the_bound_holds(rng: np.random.Generator) -> None:
    """No point that is not a candidate is nearer than the bound says."""
    Z = (clusters(rng, 400, 64) + 3).astype(np.float32)
    centre = Z.mean(axis=0, dtype=np.float64)
    squared = np.square(Z[:, None].astype(np.float64) - Z[None]).sum(axis=2)
    for kind in (np.float32, np.float64):
        items, bounds = search._candidates(Z, centre, 1.0, np.arange(400), 16, kind)
        for i in range(400):
            others = np.setdiff1d(np.arange(400), [i, *items[i]])
            assert squared[i, others].min() >= bounds[i]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100), st.floats(-50, 50))
def test_invariances(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((80, 6))
    rotation = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    base = nearest_neighbours(Z, 5)
    assert np.array_equal(nearest_neighbours(scale * Z @ rotation + shift, 5), base)
    order = rng.permutation(80)
    assert np.array_equal(order[nearest_neighbours(Z[order], 5)], base[order])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(1, 3), st.integers(1, 3))
def test_ties_go_to_the_smaller_index(seed: int, n: int, d: int, values: int) -> None:
    Z = np.random.default_rng(seed).integers(0, values, (n, d)).astype(np.float32)
    for k in {1, n // 2, n - 1}:
        assert np.array_equal(nearest_neighbours(Z, k), by_brute_force(Z, k))


@pytest.mark.parametrize(
    ("Z", "k", "message"),
    [
        (np.ones(3), 1, r"an \(n, d\) matrix of numbers; found \(3,\)"),
        (np.ones((3, 0)), 1, "matrix of numbers"),
        (np.array([["a"]]), 1, "matrix of numbers"),
        (np.eye(3), 3, "3 neighbours of 3 rows: k is at least 1 and less than the rows"),
        (np.eye(3), 0, "0 neighbours of 3 rows"),
        (np.array([[1.0], [np.nan], [0]]), 1, "row 1 is not finite"),
        (np.array([[1.0], [2], [np.inf]]), 1, r"row 2 is not finite \(1 such rows\)"),
        (np.array([[1.7e308], [1.6e308], [-1.7e308]]), 1, "too near the largest float64"),
    ],
)
def test_bad_input_gets_one_clear_error(Z: np.ndarray, k: int, message: str) -> None:
    with pytest.raises(DegenerateEmbeddingError, match=message):
        nearest_neighbours(Z, k)
