"""Jobs of the similarity table on real shards: every pair once, resumed, of the same rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from semasia.comparison.labelled import compared_labels
from semasia.comparison.similarity import SIMILARITY_COLUMNS, compare, summarise, table
from semasia.comparison.tiles import tile_rows
from semasia.inputs import BenchmarkCard, PreparedSplit, prepare_split
from semasia.latents import Plan, Shard, ShardWriter, provenance_of
from semasia.rows import RowCache
from semasia.tables import frame_of

ROWS = 120


def prepared_split(folder: Path, repository: Path, rows: int = ROWS) -> PreparedSplit:
    card = BenchmarkCard.model_validate(
        yaml.safe_load((repository / "registry/benchmarks/digits.yaml").read_text())
    )
    data, facts = folder / f"{rows}.arrow", folder / f"{rows}.json"
    prepare_split(card, "test", cap=rows, revision=None, data=data, facts=facts)
    return PreparedSplit.open(data, facts)


def written(prepared: PreparedSplit, folder: Path, name: str, latents: np.ndarray) -> Path:
    described = {
        "encoder": {"model_name": name, "width": latents.shape[1], "untrained": True},
        "preprocessing": {},
        "numerics": {"stored": "float32", "compute": "float32", "device": "cpu"},
    }
    path = folder / name / "test.parquet"
    writer = ShardWriter(path, prepared, provenance_of(prepared, described))
    writer.begin(Plan(64, 128))
    for rows in writer.missing():
        writer.save(rows, latents[rows.start : rows.stop].astype(np.float32))
    writer.finish()
    return path


@pytest.fixture
def latents(rng: np.random.Generator) -> dict[str, np.ndarray]:
    one = rng.standard_normal((ROWS, 12)).astype(np.float32)
    turned = one @ np.linalg.qr(rng.standard_normal((12, 12)))[0]
    return {"one": one, "other": rng.standard_normal((ROWS, 7)), "turned": turned}


@pytest.fixture
def paths(tmp_path: Path, repository: Path, latents: dict[str, np.ndarray]) -> dict[str, Path]:
    prepared = prepared_split(tmp_path, repository)
    return {n: written(prepared, tmp_path / "latents", n, Z) for n, Z in latents.items()}


def pairs_of(rows: list[dict]) -> set[tuple[str, str]]:
    return {(r["model_a"], r["model_b"]) for r in rows}


def test_a_group_gives_every_two_once_and_the_values_of_the_measures(
    paths: dict[str, Path], latents: dict[str, np.ndarray], tmp_path: Path
) -> None:
    names = list(paths)
    rows = tile_rows(paths.values(), names, names, rows=None, cache=RowCache(tmp_path / "kept", 1))
    assert pairs_of(rows) == {("one", "other"), ("one", "turned"), ("other", "turned")}
    frame = frame_of(rows, SIMILARITY_COLUMNS)
    assert not frame.select("model_a", "model_b", "measure", "parameter").is_duplicated().any()
    found = {
        (r["measure"], r["parameter"]): r["value"]
        for r in rows
        if (r["model_a"], r["model_b"]) == ("one", "other")
    }
    known = compare(summarise(latents["one"]), summarise(latents["other"].astype(np.float32)))
    assert found == {(s.measure, s.parameter): s.value for s in known}
    assert set(frame["anchor"]) == {"all"}
    assert set(frame["anchor_rows"]) == {ROWS}


def test_two_groups_give_every_one_of_one_with_every_one_of_the_other(
    paths: dict[str, Path], tmp_path: Path
) -> None:
    rows = tile_rows(
        paths.values(), ["one", "other"], ["turned"], rows=50, cache=RowCache(tmp_path / "kept", 1)
    )
    assert pairs_of(rows) == {("one", "turned"), ("other", "turned")}
    assert {r["anchor_rows"] for r in rows} == {50}
    assert all(r["anchor"].startswith("50 of 120, ") for r in rows)


def test_a_killed_job_goes_on_with_the_next_pair(
    paths: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, cache = list(paths), RowCache(tmp_path / "kept", 1)
    plain, made = table.pair_rows, []

    def stopped(known: dict, *arguments: object, **named: object) -> list[dict]:
        made.append((known["model_a"], known["model_b"]))
        if len(made) == 2:
            raise KeyboardInterrupt
        return plain(known, *arguments, **named)

    monkeypatch.setattr(table, "pair_rows", stopped)
    with pytest.raises(KeyboardInterrupt):
        tile_rows(paths.values(), names, names, rows=None, cache=cache)
    rows = tile_rows(paths.values(), names, names, rows=None, cache=cache)
    assert made == [made[0], made[1], made[1], made[3]]
    assert len(set(made)) == 3
    again = tile_rows(paths.values(), names, names, rows=None, cache=cache)
    assert again == rows
    assert len(made) == 4, "nothing is compared a second time"


def test_other_inputs_and_damaged_files_are_notes(
    paths: dict[str, Path], tmp_path: Path, repository: Path, rng: np.random.Generator
) -> None:
    fewer = prepared_split(tmp_path, repository, 100)
    paths["strange"] = written(
        fewer, tmp_path / "latents", "strange", rng.standard_normal((100, 5))
    )
    paths["turned"].write_bytes(b"PAR1")
    names = list(paths)
    rows = tile_rows(paths.values(), names, names, rows=None, cache=RowCache(tmp_path / "kept", 1))
    assert len(pairs_of(rows)) == 6
    for row in rows:
        pair = {row["model_a"], row["model_b"]}
        if pair == {"one", "other"}:
            # Seven dimensions have no ten leading directions.
            assert (row["value"] is None) == (row["measure"] == "subspace_overlap")
            continue
        assert row["value"] is None
        if "strange" in pair:
            assert "the ids differ; only the first has 20 ids (" in row["note"]
        else:
            assert "turned" in row["note"]


def test_what_was_kept_for_other_inputs_is_not_taken(
    paths: dict[str, Path], tmp_path: Path, repository: Path, rng: np.random.Generator
) -> None:
    """The rows that most shards have are compared; all rows of one split are not another's."""
    fewer = prepared_split(tmp_path, repository, 100)
    strangers = {
        name: written(fewer, tmp_path / "latents", name, rng.standard_normal((100, 5)))
        for name in ("strange", "stranger", "strangest")
    }
    pair, cache = {n: paths[n] for n in ("one", "other")}, RowCache(tmp_path / "kept", 1)
    refused = tile_rows({**strangers, **pair}.values(), *2 * [list(pair)], rows=None, cache=cache)
    assert all("the ids differ" in row["note"] for row in refused)
    few = {"strange": strangers["strange"], **pair}
    rows = tile_rows(few.values(), *2 * [list(pair)], rows=None, cache=cache)
    assert all("the ids differ" not in (row["note"] or "") for row in rows)


def test_attributes_are_one_label_with_several_columns(
    tmp_path: Path, repository: Path, paths: dict[str, Path]
) -> None:
    shard = Shard(paths["one"])
    assert list(compared_labels(shard)) == ["label"]
    assert compared_labels(shard, ("label",))["label"].shape == (ROWS,)
    shard.labels["more"] = shard.labels["label"]
    shard.label_columns.append("more")
    assert compared_labels(shard, ("label", "more"))["mean of 2 attributes"].shape == (ROWS, 2)
