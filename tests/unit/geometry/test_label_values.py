"""Labels that are far from contiguous give the values of the same classes numbered from 0."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from semasia.comparison.alignment import alignment_rows
from semasia.comparison.transfer import ModelLatents, transfer_rows
from semasia.geometry import further_metrics
from semasia.geometry.labelled import class_counts
from semasia.geometry.moments import moments
from semasia.geometry.probes import fit_least_squares, fit_strong, fit_weak, scored_on
from semasia.geometry.probes.linear import LinearProbe
from semasia.geometry.probes.scoring import scores
from semasia.geometry.probes.table import majority_accuracy

# The labels that classes 0, 1 and 2 stand for.
VALUES = {
    "a gap": [0, 7, 60_000],
    "none near 0": [10**6, 10**6 + 1, 10**6 + 2],
    "identifiers": [3, 10**12, 10**12 + 1],
}


@pytest.fixture
def split(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Training and test rows in three classes, with their numbers."""
    y = rng.integers(0, 3, 260)
    Z = rng.standard_normal((260, 6)) + 1.5 * rng.standard_normal((3, 6))[y]
    return Z[:160], Z[160:], y[:160], y[160:]


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_probes_predict_the_labels_themselves(
    split: tuple[np.ndarray, ...], values: list[int]
) -> None:
    train, test, y, y_test = split
    far = np.array(values)
    sizes = {"label": 3}
    large = class_counts({"label": 0}, {"label": far[y]}, {"label": far[y_test]})
    assert large == {"label": 3}
    for stated in (large, {"label": values[-1] + 1}):
        pairs = [
            (
                fit_least_squares(moments([train], {"label": y}, sizes)),
                fit_least_squares(moments([train], {"label": far[y]}, stated)),
            )
        ]
        for fit in (fit_weak, fit_strong):
            pairs.append((fit(train, {"label": y}, sizes), fit(train, {"label": far[y]}, stated)))
        for near, other in pairs:
            assert np.array_equal(near.weights["label"], other.weights["label"])
            assert np.array_equal(far[near.predict(test)["label"]], other.predict(test)["label"])
            found = scored_on(near, [test], {"label": y_test})
            again = scored_on(other, [test[:30], test[30:]], {"label": far[y_test]})
            assert np.array_equal(found.hits, again.hits)
            assert np.array_equal(found.confusion["label"], again.confusion["label"])
            assert found.means() == again.means()
    assert majority_accuracy({"x": y}, {"x": y_test}) == majority_accuracy(
        {"x": far[y]}, {"x": far[y_test]}
    )
    assert further_metrics(train, y) == further_metrics(train, far[y])


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_transfer_and_alignment_take_them(
    split: tuple[np.ndarray, ...], values: list[int], rng: np.random.Generator
) -> None:
    train, test, y, y_test = split
    turn = rng.standard_normal((6, 5))
    models = {"a": ModelLatents(train, test), "b": ModelLatents(train @ turn, test @ turn)}
    far = np.array(values)
    labels = [({"label": y}, {"label": y_test}), ({"label": far[y]}, {"label": far[y_test]})]
    near, other = (transfer_rows(models, *pair) for pair in labels)
    assert near == other
    assert near[0]["classes"] == 3
    ids = np.arange(len(train))
    near, other = (
        alignment_rows(
            *(train, train @ turn, test, test @ turn), *pair, ids, ks=[5], pairs=[len(train)]
        )
        for pair in labels
    )
    assert near == other
    assert near[0]["accuracy"] > 0.5


def test_a_class_that_only_test_rows_have_is_never_predicted(
    split: tuple[np.ndarray, ...],
) -> None:
    train, test, y, y_test = split
    far = np.array([0, 7, 60_000])[np.where(y == 2, 1, y)]
    probe = fit_least_squares(moments([train], {"label": far}, {"label": 60_001}))
    tested = np.array([0, 7, 60_000])[y_test]
    scored = scored_on(probe, [test], {"label": tested})
    assert set(np.unique(probe.predict(test)["label"])) <= {0, 7}
    assert scored.confusion["label"].shape == (3, 3)
    assert scored.confusion["label"][:, 2].sum() == 0
    assert scored.hits[tested == 60_000].sum() == 0


@pytest.mark.parametrize("stated", [3, 10, 4096])
def test_contiguous_labels_keep_every_class_that_is_stated(
    split: tuple[np.ndarray, ...], stated: int
) -> None:
    train, _, y, _ = split
    found = moments([train], {"label": y}, {"label": stated})
    assert found.class_values == {}
    assert found.class_counts["label"].shape == (stated,)
    assert class_counts({"label": stated}, {"label": y}) == {"label": stated}
    # Numbers from 1, or with a gap, are as they were.
    assert class_counts({"label": 0}, {"label": y + 1}, {"label": y * 20}) == {"label": 41}


def test_thousands_of_classes_are_scored_without_their_zeros(rng: np.random.Generator) -> None:
    n = 5_000
    y = rng.permutation(n)
    rows = np.stack([y, np.ones(n)], axis=1)
    always_first = LinearProbe({"label": np.zeros((2, n))}, {"label": np.zeros(n)}, n)
    found = scored_on(always_first, np.array_split(rows, 90), {"label": y})
    assert scipy.sparse.issparse(found.confusion["label"])
    assert found.means()["accuracy"] == pytest.approx(1 / n)
    dense = rng.integers(0, 5, (40, 40))
    assert scores(scipy.sparse.csr_array(dense)) == scores(dense)
