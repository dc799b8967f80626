"""The alignments table against brute force: fidelity, accuracy, upper bound, gap, few pairs."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import r2_score

from semasia.comparison.alignment import (
    ALIGNMENT_COLUMNS,
    METHODS,
    Linear,
    Paired,
    TestRows,
    alignment_rows,
    subset,
)
from semasia.comparison.alignment.evaluation import Resampled
from semasia.errors import ComparisonError
from semasia.geometry import moments
from semasia.geometry.probes import (
    difference_interval,
    fit_least_squares,
    fit_strong,
    scored_on,
    share_interval,
)
from semasia.tables import frame_of


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    """Return 400 training and 150 test rows of six classes, in two models of widths 10 and 7."""
    rng = np.random.default_rng(17)
    y = rng.integers(0, 6, 550)
    signal = 1.5 * rng.standard_normal((6, 5))[y] + rng.standard_normal((550, 5))
    A = signal @ rng.standard_normal((5, 10)) + 0.5 * rng.standard_normal((550, 10)) + 3
    B = signal @ rng.standard_normal((5, 7)) + 0.5 * rng.standard_normal((550, 7))
    A, B = A.astype(np.float32), B.astype(np.float16)
    return {
        "A_train": A[:400],
        "B_train": B[:400],
        "A_test": A[400:],
        "B_test": B[400:],
        "labels_train": {"fine": y[:400], "coarse": y[:400] // 2},
        "labels_test": {"fine": y[400:], "coarse": y[400:] // 2},
        "ids": np.arange(400) * 3,
    }


def test_rows_equal_brute_force(data: dict[str, Any]) -> None:
    known = {"benchmark": "b", "fit_split": "train", "test_split": "test"}
    known |= {"model_a": "x", "model_b": "y"}
    rows = alignment_rows(**data, ks=[2, 7], methods=["linear"], known=known, seed=4)
    assert [(r["k"], r["label"]) for r in rows] == [
        (k, label) for k in (2, 7) for label in ("fine", "coarse")
    ]
    assert len(frame_of(rows, ALIGNMENT_COLUMNS)) == 4
    B_test = data["B_test"].astype(float)
    for row in rows:
        assert set(row) == set(ALIGNMENT_COLUMNS)
        assert {c: row[c] for c in known} == known
        assert (row["train_rows"], row["test_rows"], row["seed"]) == (400, 150, 4)
        assert row["note"] is None
        method = Linear().fit(data["A_train"], data["B_train"], [row["k"]])
        sent = method.transform(data["A_test"], row["k"])
        errors = np.square(sent - B_test).sum(axis=1)
        assert row["mse"] == pytest.approx(errors.mean())
        assert row["mse_low"] < row["mse"] < row["mse_high"]
        assert row["r2"] == pytest.approx(r2_score(B_test, sent, multioutput="variance_weighted"))
        assert row["r2_mean_dimension"] == pytest.approx(r2_score(B_test, sent))
        y, tested = (data[f"labels_{s}"][row["label"]] for s in ("train", "test"))
        probe = fit_least_squares(moments([data["B_train"]], {"l": y}, {"l": y.max() + 1}))
        right, bound = (probe.predict(X)["l"] == tested for X in (sent, B_test))
        assert row["accuracy"] == right.mean()
        assert row["upper_bound"] == bound.mean()
        assert row["gap"] == pytest.approx(bound.mean() - right.mean())
        assert (row["accuracy_low"], row["accuracy_high"]) == share_interval(right)
        gap = difference_interval(bound.astype(int) - right.astype(int))
        assert (row["gap_low"], row["gap_high"]) == gap


def test_upper_bound_is_the_probe_s_own_accuracy(data: dict[str, Any]) -> None:
    rows = alignment_rows(**data, ks=[7], methods=["cca"], probe="strong")
    for row in rows:
        y, tested = (data[f"labels_{s}"][row["label"]] for s in ("train", "test"))
        probe = fit_strong(data["B_train"], {"l": y}, {"l": int(y.max()) + 1})
        scored = scored_on(probe, [data["B_test"]], {"l": tested})
        assert row["upper_bound"] == pytest.approx(scored.means()["accuracy"])
        assert (row["upper_low"], row["upper_high"]) == scored.interval()
    weak = alignment_rows(**data, ks=[7], methods=["cca"], probe="weak")
    assert weak[0]["upper_bound"] != rows[0]["upper_bound"]


def test_equal_models_reach_the_upper_bound(data: dict[str, Any]) -> None:
    same = data | {"A_train": data["B_train"], "A_test": data["B_test"]}
    (row, _) = alignment_rows(**same, ks=[7], methods=["linear"])
    assert row["mse"] < 1e-12
    assert row["r2"] == pytest.approx(1)
    assert row["gap"] == 0
    # No row tells the two apart; the next might.
    assert row["gap_low"] == -row["gap_high"] == pytest.approx(-3 / len(data["B_test"]), rel=0.02)


def test_several_columns_of_one_name_are_averaged(data: dict[str, Any]) -> None:
    both, alone = {}, {}
    for key in ("labels_train", "labels_test"):
        y = data[key]["fine"]
        columns = np.stack([y % 2, y // 3, (y == 1).astype(int)], axis=1)
        both[key] = {"attributes": columns}
        alone[key] = {str(i): columns[:, i] for i in range(3)}
    (row,) = alignment_rows(**(data | both), ks=[3], methods=["linear"])
    parts = alignment_rows(**(data | alone), ks=[3], methods=["linear"])
    for value in ("accuracy", "upper_bound", "gap"):
        assert row[value] == pytest.approx(np.mean([p[value] for p in parts]))
    assert row["label"] == "attributes"
    assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]


def test_few_pairs_are_nested_and_do_not_depend_on_the_order_of_rows(
    data: dict[str, Any],
) -> None:
    everything = Paired.of(data["A_train"], data["B_train"], data["ids"])
    chosen = [set(subset(everything, m, seed=1).ids) for m in (5, 20, 100, 400)]
    assert [len(c) for c in chosen] == [5, 20, 100, 400]
    assert all(few < more for few, more in pairwise(chosen))
    assert chosen[0] != set(subset(everything, 5, seed=2).ids)
    order = np.random.default_rng(0).permutation(400)
    moved = Paired.of(data["A_train"][order], data["B_train"][order], data["ids"][order])
    assert set(subset(moved, 20, seed=1).ids) == chosen[1]

    rows = alignment_rows(**data, ks=[2], methods=["ridge", "linear"], pairs=[20, 400])
    assert [r["train_rows"] for r in rows] == [20] * 4 + [400] * 4
    assert len({r["upper_bound"] for r in rows if r["label"] == "fine"}) == 1
    few = subset(everything, 20, seed=0)
    method = Linear().fit(few.a.rows, few.b.rows, [2])
    expected = np.square(method.transform(data["A_test"], 2) - data["B_test"]).sum(axis=1).mean()
    assert rows[2]["mse"] == pytest.approx(expected)


def test_all_methods_make_rows(data: dict[str, Any]) -> None:
    rows = alignment_rows(**data, ks=[1, 4])
    assert [r["method"] for r in rows[::4]] == list(METHODS)
    assert all(r["mse"] > 0 and r["note"] is None for r in rows)


def test_what_is_undefined_has_a_note_and_no_number(data: dict[str, Any]) -> None:
    rows = alignment_rows(**data, ks=[8], methods=["linear", "parseval"], pairs=[7, 401, 1])
    for row in rows:
        assert row["mse"] is None and row["accuracy"] is None and row["upper_bound"] is None
    assert "linear: k = 8 is not a whole number from 1 to 7" in rows[0]["note"]
    assert "parseval: k = 8 is not a whole number from 1 to 7" in rows[2]["note"]
    assert rows[4]["note"] == "401 pairs: there are from 2 to 400."
    assert rows[-1]["note"] == "1 pairs: there are from 2 to 400."

    absent = {"labels_test": {"fine": np.full(150, -1), "coarse": data["labels_test"]["coarse"]}}
    fine, coarse = alignment_rows(**(data | absent), ks=[3], methods=["linear"])
    assert fine["note"] == "accuracy: labels 'fine' are absent (−1)."
    assert fine["accuracy"] is None and fine["mse"] == coarse["mse"]
    assert coarse["note"] is None

    one = {"labels_train": {"fine": np.ones(400, int)}, "labels_test": {"fine": np.ones(150, int)}}
    (row,) = alignment_rows(**(data | one), ks=[3], methods=["linear"])
    assert row["note"] == "accuracy: all rows that the probe is fitted on have one 'fine'."

    same = {"B_test": np.ones((150, 7)), "labels_train": {}, "labels_test": {}}
    (row,) = alignment_rows(**(data | same), ks=[3], methods=["linear"])
    assert row["note"] == "R²: all test rows of B coincide."
    assert row["r2"] is None and row["label"] is None and row["mse"] > 0

    copies = {"A_train": 1e9 * np.tile(data["A_train"][:, :1].astype(float), 10)}
    for row in alignment_rows(**(data | copies), ks=[3], methods=["linear"]):
        assert "A: the covariance plus 1e-06 is not positive definite" in row["note"]
        assert row["mse"] is None


def test_errors_say_what_does_not_correspond(data: dict[str, Any]) -> None:
    with pytest.raises(ComparisonError, match=r"'liner'\. Did you mean linear"):
        alignment_rows(**data, ks=[1], methods=["liner"])
    with pytest.raises(ComparisonError, match=r"150 test rows of A and 149 of B"):
        alignment_rows(**(data | {"B_test": data["B_test"][:149]}), ks=[1])
    with pytest.raises(ComparisonError, match=r"those of test rows none"):
        alignment_rows(**(data | {"labels_test": {}}), ks=[1])
    short = {"labels_train": {"fine": np.zeros(3, int)}, "labels_test": {"fine": np.zeros(3, int)}}
    with pytest.raises(ComparisonError, match=r"'fine': 3 values for 400 training rows"):
        alignment_rows(**(data | short), ks=[1])
    broken = data["B_test"].copy()
    broken[3] = np.nan
    with pytest.raises(ComparisonError, match=r"test rows of B: row 3 holds"):
        alignment_rows(**(data | {"B_test": broken}), ks=[1], methods=["linear"])
    broken = data["A_test"].copy()
    broken[149, 9] = np.inf
    with pytest.raises(ComparisonError, match=r"test rows of A: row 149 holds"):
        alignment_rows(**(data | {"A_test": broken}), ks=[1], methods=["linear"])
    short = {"labels_test": {c: v[:9] for c, v in data["labels_test"].items()}}
    with pytest.raises(ComparisonError, match=r"'fine': 9 values for 150 test rows"):
        alignment_rows(**(data | short), ks=[1])


def test_interval_of_real_values_is_that_of_a_bootstrap_of_rows() -> None:
    values = np.random.default_rng(2).gamma(1, size=400)
    low, high = Resampled(400).interval(values)
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.02)
    assert high == pytest.approx(values.mean() + half, abs=0.02)


def test_blocks_change_nothing(data: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    method = Linear().fit(data["A_train"], data["B_train"], [3])
    whole = TestRows(data["A_test"], data["B_test"], {}, {}).scored(method)[3].fidelity
    module = "semasia.comparison.alignment.evaluation.row_blocks"
    monkeypatch.setattr(module, lambda n, _: [slice(i, min(i + 7, n)) for i in range(0, n, 7)])
    parts = TestRows(data["A_test"], data["B_test"], {}, {}).scored(method)[3].fidelity
    assert parts == pytest.approx(whole)
