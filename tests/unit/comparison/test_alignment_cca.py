"""CCA against the paper's formulas on whole arrays, and against scikit-learn's correlations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import fractional_matrix_power
from sklearn.cross_decomposition import CCA as PEER

from semasia.comparison.alignment import CCA, EPSILON


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    signal = rng.standard_normal((600, 4)) * [2, 1.5, 1, 0.7]
    A = np.hstack([signal + rng.standard_normal((600, 4)), rng.standard_normal((600, 3))])
    B = np.hstack([signal + rng.standard_normal((600, 4)), rng.standard_normal((600, 2))])
    return A @ rng.standard_normal((7, 7)) + 2, B @ rng.standard_normal((6, 6)) - 1


def by_formula(A: np.ndarray, B: np.ndarray, new: np.ndarray, k: int) -> np.ndarray:
    X, Y = A - A.mean(axis=0), B - B.mean(axis=0)
    n = len(A)
    S_AA = X.T @ X / (n - 1) + EPSILON * np.eye(X.shape[1])
    S_BB = Y.T @ Y / (n - 1) + EPSILON * np.eye(Y.shape[1])
    root_a, root_b = (np.real(fractional_matrix_power(S, -0.5)) for S in (S_AA, S_BB))
    U, _, Vt = np.linalg.svd(root_a @ (X.T @ Y / (n - 1)) @ root_b)
    W_A, W_B = root_a @ U[:, :k], root_b @ Vt[:k].T
    return (new - A.mean(axis=0)) @ W_A @ np.linalg.pinv(W_B) + B.mean(axis=0)


def test_equals_the_paper_s_formulas_for_every_k(pair: tuple[np.ndarray, np.ndarray]) -> None:
    A, B = pair
    method = CCA().fit(A, B, range(1, 7))
    for k in range(1, 7):
        assert np.allclose(method.transform(A[:40], k), by_formula(A, B, A[:40], k))


def test_correlations_equal_scikit_learns(pair: tuple[np.ndarray, np.ndarray]) -> None:
    A, B = pair
    x, y = PEER(n_components=4, max_iter=5000, tol=1e-12).fit_transform(A, B)
    known = [np.corrcoef(x[:, i], y[:, i])[0, 1] for i in range(4)]
    assert np.allclose(CCA().fit(A, B, [1]).correlations[:4], known, atol=1e-5)


def test_correlations_do_not_depend_on_the_coordinates(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    A, B = pair
    turned = A @ np.random.default_rng(0).standard_normal((7, 7)) + 9
    known = CCA().fit(A, B, [1]).correlations
    assert np.allclose(CCA().fit(turned, B, [1]).correlations, known, atol=1e-4)


def test_directions_that_chance_pairs_are_not_sent() -> None:
    rng = np.random.default_rng(4)
    A = rng.standard_normal((200, 3))
    A = np.hstack([A, np.zeros((200, 3))])
    B = np.hstack([A[:, :3] @ rng.standard_normal((3, 3)), np.ones((200, 3))])
    method = CCA().fit(A, B, [3, 6])
    assert np.array_equal(method.transform(A, 3), method.transform(A, 6))


def test_fewer_rows_than_dimensions_equal_the_formulas_in_all_dimensions() -> None:
    rng = np.random.default_rng(6)
    A, B = rng.standard_normal((15, 24)), rng.standard_normal((15, 4))
    new = rng.standard_normal((10, 24))
    method = CCA().fit(A, B, [1, 4])
    # All correlations are 1 there, so only the whole of them is determined.
    assert np.allclose(method.transform(new, 4), by_formula(A, B, new, 4), atol=1e-4)
