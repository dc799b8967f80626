"""Procrustes, ridge and relative representations against plain NumPy, SciPy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from sklearn.linear_model import Ridge as Peer

from semasia.comparison.alignment import Linear, Paired, Procrustes, Relative, Ridge
from semasia.geometry.probes import RIDGE


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(31)
    A = rng.standard_normal((300, 8)) @ rng.standard_normal((8, 8)) + 3
    return A, A[:, :6] @ rng.standard_normal((6, 6)) + rng.standard_normal((300, 6))


def test_procrustes_of_equal_widths_is_scipys_with_a_scale(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    A, B = pair[0][:, :6], pair[1]
    X, Y = A - A.mean(axis=0), B - B.mean(axis=0)
    R, nuclear = orthogonal_procrustes(X, Y)
    expected = X @ R * nuclear / np.square(X).sum() + B.mean(axis=0)
    assert np.allclose(Procrustes().fit(A, B, [6]).transform(A, 6), expected)


def test_procrustes_is_semi_orthogonal_and_its_scale_is_best(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    A, B = pair
    for source, target in ((A, B), (B, A)):
        method = Procrustes().fit(source, target, [2, 6])
        assert np.allclose(method.left.T @ method.left, np.eye(6))
        assert np.allclose(method.right @ method.right.T, np.eye(6))
        for k in (2, 6):
            sent = method.transform(source, k) - target.mean(axis=0)
            residual = target - target.mean(axis=0) - sent
            assert np.sum(residual * sent) == pytest.approx(0, abs=1e-6)


def test_ridge_of_full_rank_is_scikit_learns(pair: tuple[np.ndarray, np.ndarray]) -> None:
    A, B = pair
    method = Ridge().fit(A, B, [6])
    assert method.strength == pytest.approx(RIDGE * A.var(axis=0, ddof=1).sum() / 300)
    known = Peer(alpha=method.strength * 299).fit(A, B)
    assert np.allclose(method.transform(A, 6), known.predict(A))


def test_ridge_of_rank_k_is_reduced_rank_regression_with_penalty_rows(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    A, B = pair
    method = Ridge().fit(A, B, [1, 3])
    X, Y = A - A.mean(axis=0), B - B.mean(axis=0)
    longer = np.vstack([X, np.sqrt(299 * method.strength) * np.eye(8)])
    W = np.linalg.lstsq(longer, np.vstack([Y, np.zeros((8, 6))]))[0]
    Vt = np.linalg.svd(longer @ W)[2]
    for k in (1, 3):
        expected = X @ W @ Vt[:k].T @ Vt[:k] + B.mean(axis=0)
        assert np.allclose(method.transform(A, k), expected)


def test_ridge_maps_new_rows_better_than_least_squares_where_pairs_are_few() -> None:
    rng = np.random.default_rng(0)
    A = rng.standard_normal((1000, 40))
    B = A @ rng.standard_normal((40, 10)) + 5 * rng.standard_normal((1000, 10))
    errors = [
        np.square(m().fit(A[:45], B[:45], [10]).transform(A[45:], 10) - B[45:]).mean()
        for m in (Ridge, Linear)
    ]
    assert errors[0] < errors[1]


def test_relative_equals_least_squares_on_cosines(pair: tuple[np.ndarray, np.ndarray]) -> None:
    A, B = pair
    method = Relative(seed=3).fit(A, B, [1, 5])

    def cosines(X: np.ndarray, k: int) -> np.ndarray:
        X = X / np.linalg.norm(X, axis=1, keepdims=True)
        return np.hstack([X @ X[method.anchors[:k]].T, np.ones((len(X), 1))])

    for k in (1, 5):
        decoder = np.linalg.lstsq(cosines(B, k), B)[0]
        assert np.allclose(method.transform(A, k), cosines(A, k) @ decoder)
    assert np.array_equal(method.anchors, Paired.of(A, B).drawn(3)[:5])


def test_relative_does_not_depend_on_rotation_or_scale_of_the_source(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    A, B = pair
    turned = 7 * A @ np.linalg.qr(np.random.default_rng(0).standard_normal((8, 8)))[0]
    plain, moved = (Relative().fit(X, B, [20]).transform(X, 20) for X in (A, turned))
    assert np.allclose(plain, moved, atol=1e-6)


def test_relative_with_all_rows_as_anchors_and_rows_of_zeros() -> None:
    rng = np.random.default_rng(0)
    A, B = rng.standard_normal((30, 6)), rng.standard_normal((30, 50))
    A[4] = 0
    sent = Relative().fit(A, B, [30]).transform(A, 30)
    assert np.isfinite(sent).all()
