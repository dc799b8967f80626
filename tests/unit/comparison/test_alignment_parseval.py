"""Parseval frames of prototypes against the paper's formulas, Algorithm 1 and its injected set."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import fractional_matrix_power

from semasia.comparison.alignment import Paired, Parseval
from semasia.comparison.alignment.parseval import frame
from semasia.comparison.alignment.prototypes import clustering_rows, index_set


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(21)
    centres = 3 * rng.standard_normal((12, 6))
    A = centres[rng.integers(0, 12, 400)] + rng.standard_normal((400, 6))
    return A, A @ rng.standard_normal((6, 5)) + 0.5 * rng.standard_normal((400, 5))


@pytest.mark.parametrize("rows", [6, 7, 40])
def test_enough_prototypes_make_a_parseval_frame(rows: int) -> None:
    X = np.random.default_rng(rows).standard_normal((rows, 6))
    F = frame(X)
    assert np.allclose(F.T @ F, np.eye(6))
    assert np.allclose(F, X @ np.real(fractional_matrix_power(X.T @ X, -0.5)))


def test_fewer_prototypes_make_a_projector_of_their_number() -> None:
    X = np.random.default_rng(0).standard_normal((4, 6))
    P = frame(X).T @ frame(X)
    assert np.allclose(P @ P, P)
    assert np.trace(P) == pytest.approx(4)
    assert np.allclose(X @ P, X)
    assert np.linalg.matrix_rank(frame(np.vstack([X, X[:2]]))) == 4


def test_the_index_set_is_that_of_algorithm_1(pair: tuple[np.ndarray, np.ndarray]) -> None:
    both = Paired.of(*pair)
    whitened = clustering_rows(both.a)
    chosen = index_set(both, whitened, 12, 10, seed=0)
    assert len(np.unique(chosen.rows)) == len(chosen.rows)
    assert np.array_equal(np.unique(chosen.cluster), np.arange(12))
    assert np.bincount(chosen.cluster).max() == 10
    again = index_set(both, whitened, 12, 10, seed=0)
    assert np.array_equal(chosen.rows, again.rows)
    assert not np.array_equal(chosen.rows, index_set(both, whitened, 12, 10, seed=1).rows)
    # Injected: in B the prototypes are means of the same rows.
    for side in (both.a, both.b):
        rows = side.whitening.whiten(side.coordinates(side.rows))
        means = [rows[chosen.rows[chosen.cluster == i]].mean(axis=0) for i in range(12)]
        assert np.allclose(chosen.prototypes(side), means)
    # A row is nearer the prototype of its own cluster than others, on the whole.
    near = np.square(whitened[chosen.rows][:, None] - chosen.prototypes(both.a)).sum(axis=2)
    assert (near.argmin(axis=1) == chosen.cluster).mean() > 0.7


@pytest.mark.parametrize("anchors", ["prototypes", "all"])
@pytest.mark.parametrize("k", [1, 4, 12])
def test_equals_the_paper_s_formulas(
    pair: tuple[np.ndarray, np.ndarray], anchors: str, k: int
) -> None:
    A, B = pair
    both = Paired.of(A, B)
    chosen = index_set(both, clustering_rows(both.a), k, 3, seed=5)
    frames = []
    for side in (both.a, both.b):
        L = np.linalg.cholesky(side.covariance + 1e-6 * np.eye(side.width))
        rows = (side.rows - side.mean)[chosen.rows] @ np.linalg.inv(L).T
        if anchors == "prototypes":
            rows = np.array([rows[chosen.cluster == i].mean(axis=0) for i in range(k)])
        values, vectors = np.linalg.eigh(rows.T @ rows)
        root = np.where(values > 1e-10, 1 / np.sqrt(np.maximum(values, 1e-10)), 0)
        frames.append(rows @ (vectors * root) @ vectors.T)
    operator = frames[1].T @ frames[0]
    sent = both.a.whitening.whiten(A - A.mean(axis=0)) @ operator.T
    expected = sent @ both.b.whitening.factor.T + B.mean(axis=0)
    method = Parseval(seed=5, samples=3, anchors=anchors).fit(A, B, [k])
    assert np.allclose(method.transform(A, k), expected)


def test_coinciding_rows_leave_clusters_empty() -> None:
    A = np.repeat(np.random.default_rng(0).standard_normal((3, 4)), 5, axis=0)
    chosen = index_set(Paired.of(A, A), clustering_rows(Paired.of(A, A).a), 6, 2, seed=0)
    assert chosen.cluster.max() == 2
    assert np.allclose(Parseval().fit(A, A, [6]).transform(A, 6), A)
