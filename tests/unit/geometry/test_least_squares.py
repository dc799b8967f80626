"""The least-squares probe against scikit-learn, and its scores against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics
from sklearn.linear_model import Ridge

from semasia.geometry.moments import moments
from semasia.geometry.probes import RIDGE, fit_least_squares, scored_on, scores


@pytest.fixture
def problem(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    centres = rng.standard_normal((5, 20)) * 1.2
    y = rng.integers(0, 5, 400)
    return centres[y] + rng.standard_normal((400, 20)) + 7, y


@pytest.mark.parametrize("rows", [400, 60, 15])
def test_equals_ridge_on_one_hot_labels(problem: tuple[np.ndarray, np.ndarray], rows: int) -> None:
    Z, y = problem[0][:rows], problem[1][:rows]
    known = moments(np.array_split(Z, 3), {"label": y}, {"label": 5})
    probe = fit_least_squares(known)
    assert probe.ridge == pytest.approx(RIDGE * Z.var(axis=0).sum() / rows)
    reference = Ridge(alpha=probe.ridge * rows).fit(Z, np.eye(5)[y])
    assert np.allclose(probe.weights["label"], reference.coef_.T, atol=1e-8)
    found = probe.predict(problem[0])["label"]
    assert np.array_equal(found, reference.predict(problem[0]).argmax(axis=1))


def test_a_class_without_rows_is_never_predicted(problem: tuple[np.ndarray, np.ndarray]) -> None:
    Z, y = problem
    known = moments([Z], {"label": y}, {"label": 9})
    assert fit_least_squares(known).predict(Z)["label"].max() <= 4


def test_several_label_columns_are_fitted_together(
    problem: tuple[np.ndarray, np.ndarray],
) -> None:
    Z, y = problem
    labels = {"a": y, "b": (y > 2).astype(np.int64)}
    both = fit_least_squares(moments([Z], labels, {"a": 5, "b": 2}))
    alone = fit_least_squares(moments([Z], {"b": labels["b"]}, {"b": 2}))
    assert np.allclose(both.weights["b"], alone.weights["b"])


def test_scores_equal_scikit_learns(rng: np.random.Generator) -> None:
    y = rng.choice(6, 300, p=[0.4, 0.3, 0.1, 0.1, 0.05, 0.05])
    guess = np.where(rng.random(300) < 0.6, y, rng.integers(0, 4, 300))
    matrix = metrics.confusion_matrix(y, guess, labels=range(6))
    found = scores(matrix)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        y, guess, average="macro", zero_division=0, labels=range(6)
    )
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(y, guess))
    assert found["precision"] == pytest.approx(precision)
    assert found["recall"] == pytest.approx(recall)
    assert found["f1"] == pytest.approx(f1)


def test_confusion_counts_every_row_in_blocks(problem: tuple[np.ndarray, np.ndarray]) -> None:
    Z, y = problem
    probe = fit_least_squares(moments([Z], {"label": y}, {"label": 5}))
    matrix = scored_on(probe, np.array_split(Z, 7), {"label": y}).confusion["label"]
    expected = metrics.confusion_matrix(y, probe.predict(Z)["label"], labels=range(5))
    assert np.array_equal(matrix, expected)
