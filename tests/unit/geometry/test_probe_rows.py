"""The probes table: what each row says, and what it says where there is no probe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from semasia.geometry.probes import PROBE_COLUMNS, probe_analysis, probe_artefact, probe_rows
from semasia.geometry.probes.table import majority_accuracy
from semasia.inputs import BenchmarkCard, PreparedSplit, prepare_split
from semasia.inputs.cards import Probe
from semasia.latents import Plan, Shard, ShardWriter, provenance_of
from semasia.rows import RowCache
from semasia.tables import frame_of

PROBE = Probe(fit="train", score="test", labels=("label",))
CLASSES = {"label": 10}


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> tuple[Shard, Shard]:
    """Return 200 train and 80 test digits with latents that tell the classes apart, not fully."""
    card = BenchmarkCard.model_validate(
        yaml.safe_load((repository / "registry/benchmarks/mnist_5k.yaml").read_text())
    )
    folder = tmp_path_factory.mktemp("shards")
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((10, 12))
    made = []
    for split, cap in (("train", 200), ("test", 80)):
        data, facts = folder / f"{split}.arrow", folder / f"{split}.json"
        prepare_split(card, split, cap=cap, revision=None, data=data, facts=facts)
        prepared = PreparedSplit.open(data, facts)
        latents = centres[prepared.labels["label"]] + 0.8 * rng.standard_normal((cap, 12))
        described = {
            "encoder": {"model_name": "tiny", "width": 12, "untrained": True},
            "preprocessing": {},
            "numerics": {"stored": "float32", "compute": "float32", "device": "cpu"},
        }
        path = folder / "latents" / f"{split}.parquet"
        writer = ShardWriter(path, prepared, provenance_of(prepared, described))
        writer.begin(Plan(64, 128))
        for rows in writer.missing():
            writer.save(rows, latents[rows.start : rows.stop].astype(np.float32))
        writer.finish()
        made.append(Shard(path))
    return made[0], made[1]


def test_four_rows_say_how_each_probe_was_made(shards: tuple[Shard, Shard]) -> None:
    fit, score = shards
    rows = {r["probe"]: r for r in probe_rows(score, PROBE, CLASSES, fit)}
    assert list(rows) == ["least_squares", "weak", "strong", "paper"]
    assert [r["fit_rows"] for r in rows.values()] == [200, 40, 200, 200]
    assert rows["weak"]["regularisation"] == "C = 1"
    assert rows["weak"]["chosen_by"] == "fixed"
    assert "cross-validation" in rows["strong"]["chosen_by"]
    assert rows["paper"]["regularisation"] == "none"
    assert "it fits noise" in rows["paper"]["note"]
    for row in rows.values():
        assert set(row) == set(PROBE_COLUMNS)
        assert row["low"] <= row["accuracy"] <= row["high"]
        assert row["majority_accuracy"] == majority_accuracy(fit.labels, score.labels)
        assert row["accuracy"] > 0.5
    gained = rows["strong"]["accuracy"] - rows["weak"]["accuracy"]
    assert rows["strong"]["over_weak"] == pytest.approx(gained)
    assert rows["strong"]["over_weak_low"] <= gained <= rows["strong"]["over_weak_high"]

    table = probe_artefact(frame_of(list(rows.values()), PROBE_COLUMNS))
    assert table["swing_points"].item() == pytest.approx(100 * gained)
    assert table["weak_fit_rows"].item() == 40


def test_what_cannot_be_probed_says_why(shards: tuple[Shard, Shard]) -> None:
    fit, score = shards
    for rows, said in (
        (probe_rows(score, None, CLASSES, fit), "the benchmark's card names none."),
        (probe_rows(score, PROBE, CLASSES, None), "no latents of split 'train' to fit it on."),
    ):
        (row,) = rows
        assert row["note"] == said
        assert row["accuracy"] is None
    assert probe_rows(fit, PROBE, CLASSES, fit) == []
    kept = score.labels["label"].copy()
    try:
        score.labels["label"] = np.full_like(kept, -1)
        (row,) = probe_rows(score, PROBE, CLASSES, fit)
        assert row["note"] == "labels are absent (−1)."
    finally:
        score.labels["label"] = kept
    known = fit.labels["label"].copy()
    try:
        fit.labels["label"] = np.zeros_like(known)
        (row,) = probe_rows(score, PROBE, CLASSES, fit)
        assert row["note"] == "all rows that it is fitted on have one 'label'."
    finally:
        fit.labels["label"] = known
    assert len(probe_artefact(frame_of([row], PROBE_COLUMNS))) == 0


def test_several_columns_are_probed_one_by_one_and_averaged(shards: tuple[Shard, Shard]) -> None:
    fit, score = shards
    for shard in shards:
        shard.labels["odd"] = shard.labels["label"] % 2
    probe = Probe(fit="train", score="test", labels=("label", "odd"))
    sizes = {"label": 10, "odd": 2}
    both = {r["probe"]: r for r in probe_rows(score, probe, sizes, fit)}
    one = {
        name: {r["probe"]: r for r in probe_rows(score, Probe(**kind), sizes, fit)}
        for name, kind in {
            name: {"fit": "train", "score": "test", "labels": (name,)} for name in sizes
        }.items()
    }
    for name in ("least_squares", "strong"):
        mean = np.mean([one[c][name]["accuracy"] for c in sizes])
        assert both[name]["accuracy"] == pytest.approx(mean)
        assert both[name]["label_columns"] == 2
        assert both[name]["low"] <= mean <= both[name]["high"]
    for shard in shards:
        del shard.labels["odd"]


def test_a_class_of_test_rows_alone_is_told(shards: tuple[Shard, Shard]) -> None:
    fit, score = shards
    known = score.labels["label"]
    count = int((known == 3).sum())
    score.labels["label"] = np.where(known == 3, 11, known)
    try:
        rows = probe_rows(score, PROBE, CLASSES, fit)
    finally:
        score.labels["label"] = known
    told = f"{count} of 80 test rows have a 'label' that no training row has, such as 11"
    assert len(rows) == 4
    for row, before in zip(rows, probe_rows(score, PROBE, CLASSES, fit), strict=True):
        assert row["note"].startswith(told)
        assert row["accuracy"] < before["accuracy"]
        assert "no training row" not in (before["note"] or "")


def test_rows_come_from_the_cache(shards: tuple[Shard, Shard], tmp_path: Path) -> None:
    fit, score = shards
    analysis, cache = probe_analysis(PROBE, CLASSES), RowCache(tmp_path, 1)
    first = analysis.rows([score.path], cache, [fit.path])
    again = analysis.rows([score.path], cache, [fit.path])
    assert frame_of(first, PROBE_COLUMNS).equals(frame_of(again, PROBE_COLUMNS))
    assert len(list(tmp_path.glob("*.json"))) == 1


def test_majority_is_that_of_the_fit_split() -> None:
    fitted, scored = {"a": np.array([1, 1, 0])}, {"a": np.array([0, 0, 0, 1])}
    assert majority_accuracy(fitted, scored) == 0.25
