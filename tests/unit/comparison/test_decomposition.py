"""Factors are finite in every case, whatever LAPACK's fast drivers return."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.linalg

from semasia import decomposition
from semasia.errors import DecompositionError

RNG = np.random.default_rng(0)
TALL = RNG.standard_normal((30, 20))
SYMMETRIC = TALL.T @ TALL


@pytest.fixture(params=["NaN in a factor", "an error", "infinite"])
def first_driver_fails(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the fast drivers do what they were seen to do, in turn."""

    def broken(real: Any, slow: str, asked: str) -> Any:
        def called(M: np.ndarray, **options: Any) -> Any:
            if options.get(asked) == slow:
                return real(M, **options)
            if request.param == "an error":
                raise np.linalg.LinAlgError("SVD did not converge")
            found = real(M, **options)
            whole = [f.copy() for f in found] if isinstance(found, tuple) else found.copy()
            last = whole[-1] if isinstance(found, tuple) else whole
            last.reshape(-1)[3] = np.nan if request.param.startswith("NaN") else np.inf
            return tuple(whole) if isinstance(found, tuple) else whole

        return called

    monkeypatch.setattr(scipy.linalg, "svd", broken(scipy.linalg.svd, "gesvd", "lapack_driver"))
    monkeypatch.setattr(scipy.linalg, "eigh", broken(scipy.linalg.eigh, "ev", "driver"))


@pytest.mark.usefixtures("first_driver_fails")
def test_the_second_driver_is_asked() -> None:
    left, values, right = decomposition.svd(TALL)
    np.testing.assert_allclose((left * values) @ right, TALL, atol=1e-12)
    np.testing.assert_allclose(decomposition.singular_values(TALL), values)
    for last in (None, 4, 20, 99):
        found, vectors = decomposition.eigh(SYMMETRIC, last)
        assert len(found) == min(last or 20, 20) == vectors.shape[1]
        np.testing.assert_allclose(SYMMETRIC @ vectors, vectors * found, atol=1e-10)
    np.testing.assert_allclose(decomposition.eigenvalues(SYMMETRIC), values[::-1] ** 2)
    assert decomposition.rank(TALL) == 20


def test_ranks_are_those_of_numpy() -> None:
    for M in (TALL, TALL[:, :3] @ RNG.standard_normal((3, 9)), np.zeros((4, 4)), SYMMETRIC):
        assert decomposition.rank(M) == np.linalg.matrix_rank(M)


@pytest.mark.parametrize("take", [decomposition.svd, decomposition.eigenvalues])
def test_what_has_no_decomposition_is_an_error(take: Any) -> None:
    with pytest.raises(DecompositionError, match="not finite"):
        take(np.where(SYMMETRIC[1, 2] == SYMMETRIC, np.nan, SYMMETRIC))


def test_an_orthogonal_product_of_many_equal_singular_values() -> None:
    """The shape on which NaN was seen: two spaces that both fill all rows."""
    Q = np.linalg.qr(RNG.standard_normal((474, 474)))[0]
    left, values, right = decomposition.svd(Q)
    np.testing.assert_allclose(values, 1)
    np.testing.assert_allclose(left @ right, Q, atol=1e-12)
