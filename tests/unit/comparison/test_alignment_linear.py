"""Whitening, and the truncated linear map, against plain NumPy on whole arrays."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from semasia.comparison.alignment import EPSILON, Linear, Paired, Side, Whitening
from semasia.errors import ComparisonError


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    A = rng.standard_normal((500, 9)) @ rng.standard_normal((9, 9)) + 3
    B = A @ rng.standard_normal((9, 7)) + 2 * rng.standard_normal((500, 7))
    return A, B


def whitened(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    centred = X - X.mean(axis=0)
    C = centred.T @ centred / (len(X) - 1) + EPSILON * np.eye(X.shape[1])
    L = np.linalg.cholesky(C)
    return centred @ np.linalg.inv(L).T, L


def by_formula(A: np.ndarray, B: np.ndarray, new: np.ndarray, k: int) -> np.ndarray:
    (Z_A, L_A), (Z_B, L_B) = whitened(A), whitened(B)
    operator = Z_B.T @ np.linalg.pinv(Z_A.T, rcond=1e-9)
    U, values, Vt = np.linalg.svd(operator, full_matrices=False)
    truncated = (U[:, :k] * values[:k]) @ Vt[:k]
    sent = (new - A.mean(axis=0)) @ np.linalg.inv(L_A).T @ truncated.T
    return sent @ L_B.T + B.mean(axis=0)


def test_whitening_gives_unit_covariance_and_comes_back(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    A = pair[0]
    side = Side(A)
    found, L = whitened(A)
    assert np.allclose(side.whitening.factor, L)
    assert np.allclose(side.whitening.whiten(side.coordinates(A)), found)
    assert np.allclose(np.cov(found, rowvar=False), np.eye(9), atol=1e-3)
    again = side.lifted(side.whitening.dewhiten(side.whitening.whiten(side.coordinates(A))))
    assert np.allclose(again, A)


def test_whitening_of_fewer_rows_than_dimensions_and_of_variances_too_large() -> None:
    rng = np.random.default_rng(0)
    few = rng.standard_normal((5, 20))
    variances = np.linalg.eigvalsh(
        np.cov(Whitening.of(np.cov(few, rowvar=False)).whiten(few - few.mean(axis=0)).T)
    )
    assert np.allclose(variances[-4:], 1, atol=1e-4)
    assert np.allclose(variances[:-4], 0, atol=1e-8)
    with pytest.raises(ComparisonError, match=r"x: the covariance plus 1e-06 .*scale the rows"):
        Whitening.of(1e14 * np.cov(few, rowvar=False), "x")


def test_covariances_equal_those_of_whole_arrays(pair: tuple[np.ndarray, np.ndarray]) -> None:
    A, B = pair
    both = Paired.of(A + 1e6, B)
    joint = np.cov(A, B, rowvar=False)
    assert np.allclose(both.a.covariance, joint[:9, :9], rtol=1e-8)
    assert np.allclose(both.cross, joint[:9, 9:], rtol=1e-8)
    assert np.allclose(both.turned().cross, joint[9:, :9], rtol=1e-8)


def test_equals_the_paper_s_formulas(pair: tuple[np.ndarray, np.ndarray]) -> None:
    A, B = pair
    method = Linear().fit(A, B, range(1, 8))
    for k in range(1, 8):
        assert np.allclose(method.transform(A[:50], k), by_formula(A, B, A[:50], k))


def test_of_full_rank_is_ordinary_least_squares(pair: tuple[np.ndarray, np.ndarray]) -> None:
    A, B = pair
    design = np.hstack([A, np.ones((500, 1))])
    expected = design @ np.linalg.lstsq(design, B)[0]
    assert np.allclose(Linear().fit(A, B, [7]).transform(A, 7), expected)


@pytest.mark.parametrize("rows", [6, 40])
def test_fewer_rows_than_dimensions_equal_the_formulas_in_all_dimensions(rows: int) -> None:
    rng = np.random.default_rng(2)
    A, B = rng.standard_normal((rows, 50)), rng.standard_normal((rows, 30))
    new = rng.standard_normal((20, 50))
    method = Linear().fit(A, B, [1, 3, 30])
    assert method.paired.a.basis is not None
    for k in (1, 3, 30):
        assert np.allclose(method.transform(new, k), by_formula(A, B, new, k), atol=1e-5)
    # The pairs themselves are interpolated.
    assert np.allclose(method.transform(A, 30), B, atol=1e-8)


def test_rows_are_never_copied_as_a_whole() -> None:
    A = np.random.default_rng(0).standard_normal((200_000, 48), dtype=np.float32)
    B = A[:, ::-1].astype(np.float16)
    tracemalloc.start()
    try:
        Linear().fit(A, B, [48])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < A.size * 8 / 1.5


def test_training_error_in_the_whitened_space_falls_with_k(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    A, B = pair
    A = np.hstack([A, A[:, :2], np.zeros((500, 1))])
    method = Linear().fit(A, B, range(1, 8))
    side = method.paired.b
    target = side.whitening.whiten(side.coordinates(B))
    errors = []
    for k in range(1, 8):
        sent = side.whitening.whiten(side.coordinates(method.transform(A, k)))
        errors.append(np.square(sent - target).sum(axis=1).mean())
    assert (np.diff(errors) < 0).all()
    assert (np.diff(method.singular_values) <= 0).all()
