"""The logistic probes against scikit-learn's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold

from semasia.errors import ProbeError
from semasia.geometry.probes import fit_strong, fit_weak
from semasia.geometry.probes.fitting import FOLDS, SEED
from semasia.geometry.probes.logistic import LogisticFolds, rotated


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    images, labels = load_digits(return_X_y=True)
    return images / 16, labels


def newton(C: float, **options: str) -> LogisticRegression:
    """Return scikit-learn's second-order solver; its default stops far from the optimum."""
    return LogisticRegression(C=C, solver="newton-cholesky", tol=1e-9, max_iter=200, **options)


def solved(
    Z: np.ndarray, y: np.ndarray, C: float, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    space = rotated(Z)
    problem = LogisticFolds(space, y, int(y.max()) + 1, weight)
    W = problem.solve(C, None, 1e-7)
    return np.einsum("dr,rfc->fdc", space.axes, W[:-1]), W[-1]


@pytest.mark.parametrize("C", [0.01, 1.0])
@pytest.mark.parametrize("rows", [1797, 40])
@pytest.mark.parametrize("classes", [10, 2])
def test_optimum_equals_scikit_learns(
    digits: tuple[np.ndarray, np.ndarray], C: float, rows: int, classes: int
) -> None:
    Z, y = digits[0][:rows] + 5, digits[1][:rows] % classes
    weights, _ = solved(Z, y, C, np.ones((rows, 1)))
    known = newton(C).fit(Z, y)
    found = weights[0].T
    if classes == 2:
        found = found[1:] - found[:1]
    assert np.allclose(found, known.coef_, atol=2e-5 * np.abs(known.coef_).max() + 1e-6)


def test_folds_together_equal_folds_alone(digits: tuple[np.ndarray, np.ndarray]) -> None:
    Z, y = digits
    used = np.arange(len(y))[:, None] % 3 != np.arange(3)
    together, _ = solved(Z, y, 0.1, used.astype(float))
    for fold in range(3):
        known = newton(0.1).fit(Z[used[:, fold]], y[used[:, fold]])
        assert np.allclose(together[fold].T, known.coef_, atol=1e-4)


def test_strong_equals_logistic_regression_cv(digits: tuple[np.ndarray, np.ndarray]) -> None:
    Z, y = digits[0][:1200], digits[1][:1200]
    grid = [1e-3, 1e-1, 10.0]
    probe = fit_strong(Z, {"label": y}, {"label": 10}, grid=grid)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        known = LogisticRegressionCV(
            Cs=grid,
            cv=StratifiedKFold(FOLDS, shuffle=True, random_state=SEED),
            solver="newton-cholesky",
        ).fit(Z, y)
    assert probe.C["label"] == pytest.approx(float(np.ravel(known.C_)[0]))
    rest = digits[0][1200:]
    agreed = probe.predict(rest)["label"] == known.predict(rest)
    assert agreed.mean() > 0.995


def test_balanced_weights_equal_scikit_learns(digits: tuple[np.ndarray, np.ndarray]) -> None:
    Z, y = digits
    kept = np.flatnonzero((y != 3) | (np.arange(len(y)) % 9 == 0))
    Z, y = Z[kept], y[kept]
    counts = np.bincount(y)
    weights, _ = solved(Z, y, 0.1, (len(y) / (10 * counts[y]))[:, None])
    known = newton(0.1, class_weight="balanced").fit(Z, y)
    assert np.allclose(weights[0].T, known.coef_, atol=1e-4)
    plain = fit_strong(Z, {"l": y}, {"l": 10}, grid=[1e-3])
    # Of one value nothing is chosen, and it is at no edge.
    assert (plain.C, plain.at_edge) == ({"l": 1e-3}, ())
    fair = fit_strong(Z, {"l": y}, {"l": 10}, grid=[1e-3], balanced=True)
    rare = [(p.predict(digits[0])["l"] == digits[1])[digits[1] == 3].mean() for p in (plain, fair)]
    assert rare[1] > rare[0]


def test_rotation_translation_and_scale_do_not_matter_to_strong(
    digits: tuple[np.ndarray, np.ndarray], rng: np.random.Generator
) -> None:
    Z, y = digits[0][:600], digits[1][:600]
    turn = np.linalg.qr(rng.standard_normal((64, 64)))[0]
    base = fit_strong(Z, {"l": y}, {"l": 10})
    other = fit_strong(50 * (Z @ turn) + 3, {"l": y}, {"l": 10})
    agreed = base.predict(Z)["l"] == other.predict(50 * (Z @ turn) + 3)["l"]
    assert agreed.mean() > 0.995
    assert other.C["l"] == pytest.approx(base.C["l"] / 2500)


def test_weak_takes_a_fifth_of_the_rows_and_constant_c(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    Z, y = digits
    probe = fit_weak(Z, {"l": y}, {"l": 10})
    assert probe.rows == 359
    assert probe.C == {"l": 1.0}
    many = np.concatenate([Z] * 6)
    assert fit_weak(many, {"l": np.tile(y, 6)}, {"l": 10}).rows == 2000


def test_classes_and_rows_that_are_not_there(digits: tuple[np.ndarray, np.ndarray]) -> None:
    Z, y = digits[0][:300], digits[1][:300]
    probe = fit_strong(Z, {"l": y}, {"l": 12})
    assert probe.predict(digits[0])["l"].max() <= 9
    # One row of a class: it is missing from a fold.
    kept = (y != 4) | (np.arange(300) == np.flatnonzero(y == 4)[0])
    fit_strong(Z[kept], {"l": y[kept]}, {"l": 10})
    with pytest.raises(ProbeError, match=r"hold fewer than two classes of 'l'"):
        fit_strong(Z, {"l": np.zeros(300, np.int64)}, {"l": 10})
    with pytest.raises(ProbeError, match=r"hold fewer than two classes of 'l'"):
        fit_weak(Z[:4], {"l": y[:4]}, {"l": 10})
    with pytest.raises(ProbeError, match="no class of 'l' has 3 rows, one for each fold"):
        fit_strong(Z[:10], {"l": np.arange(10)}, {"l": 10})
    with pytest.raises(ProbeError, match="all 300 rows that it is fitted on coincide"):
        fit_strong(np.ones((300, 4)), {"l": y}, {"l": 10})
