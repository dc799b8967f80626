"""Transfer of probes between models: own, zero-shot and aligned, against plain computations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from semasia.comparison import transfer
from semasia.comparison.alignment import Linear
from semasia.comparison.transfer import TRANSFER_COLUMNS, ModelLatents, normalised, transfer_rows
from semasia.errors import ComparisonError
from semasia.tables import frame_of


@pytest.fixture(scope="module")
def models() -> dict[str, ModelLatents]:
    """Return a model, one of the same width that is its rotation, and a wider one."""
    rng = np.random.default_rng(23)
    signal = 1.2 * rng.standard_normal((4, 6))[labels("train", "test")]
    signal += rng.standard_normal(signal.shape)
    turn = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    noise = rng.standard_normal((3, 500, 9))
    made = {
        "base": signal + 2,
        "turned": signal @ turn * 3 + 0.05 * noise[0, :, :6] - 5,
        "wider": signal @ rng.standard_normal((6, 9)) + 0.3 * noise[1],
    }
    return {n: ModelLatents(Z[:350].astype(np.float32), Z[350:]) for n, Z in made.items()}


def labels(*splits: str) -> np.ndarray:
    y = np.random.default_rng(1).integers(0, 4, 500)
    return np.concatenate([{"train": y[:350], "test": y[350:]}[s] for s in splits])


TRAIN, TEST = {"label": labels("train")}, {"label": labels("test")}


def by_pair(rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {(r["probe_model"], r["latents_model"], r["kind"]): r for r in rows}


def test_normalised_rows_are_centred_and_of_norm_one() -> None:
    rng = np.random.default_rng(0)
    Z = (rng.standard_normal((50, 4)) + 3).astype(np.float16)
    Z[7] = 1
    found = normalised(Z, np.ones(4))
    assert found.dtype == np.float32
    assert np.array_equal(found[7], np.zeros(4))
    expected = Z[8:].astype(float) - 1
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.allclose(found[8:], expected, atol=1e-6)
    assert normalised(Z.astype(float), np.ones(4)).dtype == np.float64


def test_rows_equal_plain_computations(models: dict[str, ModelLatents]) -> None:
    known = {"benchmark": "b", "fit_split": "train", "test_split": "test"}
    rows = transfer_rows(models, TRAIN, TEST, known=known)
    assert len(rows) == 3 + 6 * 2
    assert len(frame_of(rows, TRANSFER_COLUMNS)) == len(rows)
    found = by_pair(rows)
    ready, probes = {}, {}
    for name, latents in models.items():
        mean = latents.train.mean(axis=0, dtype=float)
        ready[name] = [normalised(Z, mean).astype(float) for Z in (latents.train, latents.test)]
        probes[name] = LogisticRegression(C=1.0, tol=1e-8, max_iter=5000)
        probes[name].fit(ready[name][0], TRAIN["label"])
    for home in models:
        for away in models:
            peer = probes[home]
            if home == away:
                row = found[home, home, "own"]
                expected = peer.score(ready[home][1], TEST["label"])
            else:
                method = Linear().fit(ready[away][0], ready[home][0], [6])
                row = found[home, away, "aligned"]
                assert row["method"] == "linear"
                expected = peer.score(method.transform(ready[away][1], 6), TEST["label"])
                zero = found[home, away, "zero_shot"]
                if "wider" in (home, away):
                    assert zero["accuracy"] is None
                    assert zero["note"].startswith("widths differ: ")
                else:
                    right = peer.score(ready[away][1], TEST["label"])
                    assert zero["accuracy"] == pytest.approx(right, abs=0.007)
            # Rows beside a boundary may fall on either side: solvers stop at a tolerance.
            assert row["accuracy"] == pytest.approx(expected, abs=0.007)
            assert row["low"] <= row["accuracy"] <= row["high"]
            assert (row["classes"], row["test_rows"]) == (4, 150)
            assert set(row) == set(TRANSFER_COLUMNS)
            assert {c: row[c] for c in known} == known


def test_alignment_brings_back_what_a_rotation_took(models: dict[str, ModelLatents]) -> None:
    found = by_pair(transfer_rows(models, TRAIN, TEST, probe="least_squares"))
    own = found["base", "base", "own"]["accuracy"]
    assert found["base", "turned", "aligned"]["accuracy"] == pytest.approx(own, abs=0.02)
    assert found["base", "turned", "zero_shot"]["accuracy"] < own - 0.2


def test_a_model_and_itself_transfer_fully(models: dict[str, ModelLatents]) -> None:
    twins = {"a": models["base"], "b": models["base"]}
    values = {r["accuracy"] for r in transfer_rows(twins, TRAIN, TEST)}
    assert len(values) == 1


def test_two_label_columns_are_averaged(models: dict[str, ModelLatents]) -> None:
    train, test = ({"a": v["label"], "b": v["label"] // 2} for v in (TRAIN, TEST))
    both = transfer_rows(models, train, test, probe="least_squares")
    alone = [
        transfer_rows(models, {c: train[c]}, {c: test[c]}, probe="least_squares") for c in "ab"
    ]
    for row, *parts in zip(both, *alone, strict=True):
        if row["accuracy"] is not None:
            assert row["accuracy"] == pytest.approx(np.mean([p["accuracy"] for p in parts]))


def test_few_rows_and_other_methods_align(models: dict[str, ModelLatents]) -> None:
    few = by_pair(transfer_rows(models, TRAIN, TEST, aligned_rows=5))
    full = by_pair(transfer_rows(models, TRAIN, TEST, method="procrustes"))
    pair = ("base", "turned", "aligned")
    assert few[pair]["accuracy"] < full[pair]["accuracy"]
    assert full[pair]["method"] == "procrustes"


def test_each_model_is_prepared_once(
    models: dict[str, ModelLatents], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    fit = transfer.fit_strong

    def counted(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        return fit(*arguments, **options)

    monkeypatch.setattr(transfer, "fit_strong", counted)
    transfer_rows(models, TRAIN, TEST)
    assert len(calls) == len(models)


def test_what_is_undefined_has_a_note(models: dict[str, ModelLatents]) -> None:
    one = {"label": np.zeros(350, int)}
    rows = transfer_rows(models, one, TEST)
    assert {r["accuracy"] for r in rows} == {None}
    assert "fewer than two classes of 'label'" in rows[0]["note"]


def test_errors_say_what_is_wrong(models: dict[str, ModelLatents]) -> None:
    with pytest.raises(ComparisonError, match=r"'liner'\. Did you mean linear"):
        transfer_rows(models, TRAIN, TEST, method="liner")
    with pytest.raises(ComparisonError, match=r"test rows none: transfer needs"):
        transfer_rows(models, TRAIN, {})
    with pytest.raises(
        ComparisonError, match=r"base: 350 training and 150 test rows, but 350 and 9"
    ):
        transfer_rows(models, TRAIN, {"label": np.zeros(9, int)})
    with pytest.raises(ComparisonError, match=r"labels 'label' are absent"):
        transfer_rows(models, TRAIN, {"label": np.full(150, -1)})
    broken = models["base"].test.copy()
    broken[4, 2] = np.nan
    with pytest.raises(ComparisonError, match=r"odd, test rows: row 4 holds"):
        transfer_rows({"odd": ModelLatents(models["base"].train, broken)}, TRAIN, TEST)
