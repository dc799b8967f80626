"""Shards are joined by id, and refused where their rows are not of the same inputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from semasia.comparison.pairing import Anchor, anchored_embeddings, paired_rows, rows_at
from semasia.errors import ComparisonError
from semasia.inputs import BenchmarkCard, PreparedSplit, prepare_split
from semasia.inputs.selection import select_rows
from semasia.latents import Shard

from unit.audit.making import described, replaced, rewritten, write_shard


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> PreparedSplit:
    folder = tmp_path_factory.mktemp("prepared")
    card = BenchmarkCard.model_validate(
        yaml.safe_load((repository / "registry/benchmarks/mnist_5k.yaml").read_text())
    )
    data, facts = folder / "test.arrow", folder / "test.json"
    prepare_split(card, "test", cap=40, revision=None, data=data, facts=facts)
    return PreparedSplit.open(data, facts)


def make(path: Path, prepared: PreparedSplit, width: int, **changes: Any) -> Shard:
    """Write a shard whose first latent of every row is its id."""
    latents = np.random.default_rng(width).standard_normal((len(prepared), width))
    latents[:, 0] = prepared.ids
    write_shard(path, prepared, described(path.stem, width), latents.astype(np.float32))
    for column, values in changes.items():
        rewritten(path, replaced(column, values), seal=True)
    return Shard(path)


def test_rows_of_equal_ids_are_joined_in_the_order_of_ids(
    tmp_path: Path, prepared: PreparedSplit
) -> None:
    a, b = (make(tmp_path / f"{n}.parquet", prepared, w) for n, w in (("a", 3), ("b", 5)))
    pairs = paired_rows(a, b)
    assert np.array_equal(pairs.ids, prepared.ids)
    assert np.array_equal(pairs.first, np.arange(40))
    order = np.random.default_rng(0).permutation(40)
    # As a file from elsewhere could have them: a shard of ours has ids that ascend.
    b.__dict__["ids"] = a.ids[order]
    b.__dict__["labels"] = {c: v[order] for c, v in a.labels.items()}
    pairs = paired_rows(a, b)
    assert np.array_equal(pairs.ids, prepared.ids)
    assert np.array_equal(b.ids[pairs.second], a.ids[pairs.first])
    anchor = Anchor.of(a.ids, 10)
    first, second = (anchored_embeddings(shard, anchor, a) for shard in (a, b))
    assert np.array_equal(first[:, 0], anchor.ids)
    assert np.array_equal(second[:, 0], prepared.ids[np.argsort(order)][np.isin(a.ids, anchor.ids)])


def test_other_ids_are_refused(tmp_path: Path, prepared: PreparedSplit) -> None:
    a, b = (make(tmp_path / f"{n}.parquet", prepared, 3) for n in "ab")
    other = prepared.ids.copy()
    other[-7:] += 5000
    b.__dict__["ids"] = other
    with pytest.raises(ComparisonError) as caught:
        paired_rows(a, b)
    assert str(tmp_path / "a.parquet") in str(caught.value)
    assert str(tmp_path / "b.parquet") in str(caught.value)
    first = ", ".join(map(str, prepared.ids[-7:-2]))
    assert f"only the first has 7 ids ({first}, …)" in str(caught.value)
    b.__dict__["ids"] = np.repeat(prepared.ids[:20], 2)
    with pytest.raises(ComparisonError, match=r"b\.parquet: more than one row has 20 ids"):
        paired_rows(a, b)


def test_other_labels_are_refused(tmp_path: Path, prepared: PreparedSplit) -> None:
    a, b = (make(tmp_path / f"{n}.parquet", prepared, 3) for n in "ab")
    b.labels["label"] = b.labels["label"].copy()
    b.labels["label"][[4, 9]] += 1
    named = f"labels in 'label' differ for 2 ids \\({prepared.ids[4]}, {prepared.ids[9]}\\)"
    with pytest.raises(ComparisonError, match=named):
        paired_rows(a, b)
    b.label_columns = []
    assert len(paired_rows(a, b).ids) == 40


def test_other_benchmarks_are_refused(tmp_path: Path, prepared: PreparedSplit) -> None:
    a, b = (make(tmp_path / f"{n}.parquet", prepared, 3) for n in "ab")
    b.provenance = json.loads(json.dumps(b.provenance))
    b.provenance["benchmark"]["name"] = "cifar10"
    with pytest.raises(ComparisonError, match="name is 'mnist_5k' in the first and 'cifar10'"):
        paired_rows(a, b)


def test_an_anchor_is_the_choice_of_a_capped_split() -> None:
    ids = np.arange(500, dtype=np.uint32) * 3
    anchor = Anchor.of(ids[::-1], 50)
    assert np.array_equal(anchor.ids, ids[select_rows(ids, None, 50)])
    assert anchor.key.startswith("50 of 500, ")
    assert anchor.key == Anchor.of(ids, 50).key
    assert anchor.key != Anchor.of(ids + 1, 50).key
    assert np.isin(Anchor.of(ids, 20).ids, anchor.ids).all()
    for whole in (Anchor.of(ids), Anchor.of(ids, 500), Anchor.of(ids, 9999)):
        assert whole.key == "all"
        assert np.array_equal(whole.ids, ids)
    with pytest.raises(ComparisonError, match="one row or more; 0 were asked for"):
        Anchor.of(ids, 0)


def test_an_anchor_finds_its_rows_and_names_those_that_are_missing() -> None:
    ids = np.array([9, 2, 7, 4], np.uint32)
    anchor = Anchor.of(np.array([2, 7, 9], np.uint32))
    assert anchor.positions(ids).tolist() == [1, 2, 0]
    with pytest.raises(ComparisonError, match=r"x: has no row for 2 ids \(2, 9\)"):
        anchor.positions(np.array([7, 4], np.uint32), "x")


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_rows_are_taken_from_blocks_in_any_order(kind: type) -> None:
    Z = np.arange(60, dtype=kind).reshape(20, 3)
    positions = np.array([19, 0, 7, 3])
    for edges in ([], [5, 8], [1, 19]):
        found = rows_at(np.split(Z, edges), positions, 3)
        assert found.dtype == kind
        assert np.array_equal(found, Z[positions])
