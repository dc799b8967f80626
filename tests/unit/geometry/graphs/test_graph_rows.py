"""Rows of the graphs table: recipes, the choice of points, the cache, and bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semasia.errors import DegenerateEmbeddingError, ShardError
from semasia.geometry.graphs import (
    COLUMNS,
    graph_analysis,
    graph_row,
    graph_signatures,
    neighbour_graph,
    points,
    table,
    unreadable_graph_rows,
)
from semasia.inputs.selection import select_rows
from semasia.latents import Shard
from semasia.latents.roots import Key
from semasia.rows import RowCache, analysis


class StandIn:
    """What the table asks of a shard, over an array."""

    identity = Shard.identity

    def __init__(self, Z: np.ndarray, split: str = "train") -> None:
        self.Z = Z.astype(np.float32)
        self.ids = np.arange(len(Z), dtype=np.uint32) * 3
        self.rows, self.width = Z.shape
        self.model_name = "tiny.seed0"
        self.provenance: dict[str, Any] = {
            "benchmark": {"name": "b", "split": split},
            "embedding_sha256": "e",
            "run_key": "r",
        }

    def blocks(self):
        yield from np.array_split(self.Z, 3)

    def verify(self) -> None:
        pass


def row_of(Z: np.ndarray, recipe: str = "own", k: int = 10, cap: int | None = None):
    return graph_row(StandIn(Z), recipe, k, cap)  # pyright: ignore[reportArgumentType]


def test_a_row_has_the_signatures_of_the_shards_rows(rng: np.random.Generator) -> None:
    Z = rng.standard_normal((150, 6)).astype(np.float32)
    row = row_of(Z)
    assert tuple(row) == tuple(COLUMNS)
    assert row["note"] is None
    assert (row["k"], row["rows"], row["recipe"]) == (10, 150, "own")
    for name, value in graph_signatures(neighbour_graph(Z, 10))[0].items():
        assert row[name] == value


@pytest.mark.parametrize("cap", [1, 2, 37, 149, 150, 200, None])
def test_capped_points_are_those_of_a_capped_split(
    cap: int | None, rng: np.random.Generator
) -> None:
    shard = StandIn(rng.standard_normal((150, 4)))
    chosen = select_rows(shard.ids, None, 150 if cap is None else cap)
    found = points.points_of(shard, "own", cap)  # pyright: ignore[reportArgumentType]
    assert np.array_equal(found, shard.Z[chosen])


def test_the_papers_recipe_standardises_columns(rng: np.random.Generator) -> None:
    Z = rng.standard_normal((120, 5)) * [1, 10, 100, 0, 1] + 7
    found = points.standardized(Z.astype(np.float32))
    assert np.allclose(found.mean(axis=0), 0, atol=1e-12)
    assert np.allclose(found.std(axis=0), [1, 1, 1, 0, 1])
    expected = graph_signatures(neighbour_graph(found, 10), "paper")[0]
    row = row_of(Z, "paper", cap=20)
    assert row["nodes"] == 120  # its own cap, not ours
    assert all(row[name] == value for name, value in expected.items())
    assert row["eigengap_normalized"] != row_of(Z)["eigengap_normalized"]


def test_the_papers_recipe_takes_10000_points(rng: np.random.Generator) -> None:
    shard = StandIn(rng.standard_normal((10_500, 1)))
    found = points.points_of(shard, "paper", None)  # pyright: ignore[reportArgumentType]
    drawn = np.random.default_rng(42).choice(10_500, 10_000, replace=False)
    assert np.allclose(found, points.standardized(shard.Z[drawn]))


@pytest.mark.parametrize(
    ("Z", "message"),
    [
        (np.ones((9, 3)), "graph: all 9 points coincide: every signature is undefined."),
        (np.ones((1, 3)), "graph: 1 points; neighbours are defined from two on."),
        (np.ones((0, 3)), "graph: 0 "),
    ],
)
@pytest.mark.parametrize("recipe", ["own", "paper"])
def test_an_embedding_without_a_graph_has_nulls_and_a_note(
    Z: np.ndarray, message: str, recipe: str
) -> None:
    row = row_of(Z, recipe)
    assert message in row["note"]
    assert row["rows"] == len(Z)
    assert all(row[name] is None for name in ("k", "nodes", "wiener_index", "eigengap"))


def test_fewer_points_than_neighbours_take_all_others(rng: np.random.Generator) -> None:
    row = row_of(rng.standard_normal((6, 3)))
    assert row["note"] == "graph: k is 5, not 10, as there are 6 points."
    assert (row["k"], row["density"], row["diameter"]) == (5, 1.0, 1)
    assert row["eigengap"] == pytest.approx(6)
    assert row_of(np.array([[0.0], [1.0]]))["edges"] == 1


def test_copies_are_told(rng: np.random.Generator) -> None:
    row = row_of(np.repeat(rng.standard_normal((30, 3)), 2, axis=0))
    assert row["note"].startswith("graph: 30 of 60 points repeat another; equal distances go to")


def test_values_that_are_not_finite_are_one_error() -> None:
    with pytest.raises(DegenerateEmbeddingError, match="row 1 is not finite"):
        table.measured(np.array([[0.0], [np.nan], [1.0]]), 1)


def test_rows_of_a_file_are_kept_until_what_they_depend_on_changes(
    rng: np.random.Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard = StandIn(rng.standard_normal((40, 3)))
    monkeypatch.setattr(analysis, "open_shard_at", lambda path: shard)
    made = []
    measure = table.graph_row
    monkeypatch.setattr(table, "graph_row", lambda *a: made.append(a[1]) or measure(*a))

    def rows(recipe: int = 1, k: int = 5, cap: int | None = 30) -> list[dict]:
        made.clear()
        return graph_analysis(k, cap).rows([tmp_path], RowCache(tmp_path, recipe))

    first = rows()
    assert made == ["own", "paper"]
    assert [r["recipe"] for r in first] == ["own", "paper"]
    assert [r["nodes"] for r in first] == [30, 40]
    assert rows() == first
    assert made == []
    rows(cap=20)
    assert made == ["own"]
    for changed in ({"k": 6}, {"recipe": 2}):
        rows(**changed)
        assert made == ["own", "paper"]
    shard.provenance["benchmark"]["split"] = "test"
    shard.provenance["run_key"] = "other"
    assert [r["recipe"] for r in rows()] == ["own"]


def test_a_shard_that_cannot_be_read_has_rows_that_say_why() -> None:
    rows = unreadable_graph_rows(Key("b", "m", "train"), ShardError("b/m/train: id 3 is NaN."))
    assert [r["recipe"] for r in rows] == ["own", "paper"]
    assert all(r["note"] == "shard: b/m/train: id 3 is NaN." for r in rows)
    assert tuple(rows[0]) == tuple(COLUMNS)
    assert len(unreadable_graph_rows(Key("b", "m", "test"), ShardError("x"))) == 1
