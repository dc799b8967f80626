"""The committed table is what the code builds."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest
import yaml

from semasia.config import Collection, parse_config
from semasia.errors import ConfigError
from semasia.registry import EncoderCard, load_model_set
from semasia.registry.paper_reading import (
    DIFFERENCE_COLUMNS,
    PAPER_COLUMNS,
    paper_differences,
    paper_reading,
)
from semasia.registry.reading import read_identifiers
from semasia.registry.selection import read_registry, select_models
from semasia.registry.table import (
    COLUMNS,
    PARSED_COLUMNS,
    built_cards,
    first_releases,
    parsed_row,
    registry_rows,
)
from semasia.tables import frame_of


@pytest.fixture(scope="module")
def built(repository: Path) -> pl.DataFrame:
    return read_registry(repository / "registry")


def test_parsed_columns_rebuild_byte_for_byte(built: pl.DataFrame) -> None:
    columns = {**PARSED_COLUMNS, "unparsed": str}
    rows = [parsed_row(*r) for r in built.select("model_name", "native_resolution").rows()]
    again = frame_of(rows, columns)
    assert again.write_csv() == built.select(list(columns)).write_csv()


def test_a_sample_of_rows_rebuilds(built: pl.DataFrame, repository: Path) -> None:
    folder = repository / "registry"
    sets = [load_model_set(n, folder / "models") for n in ("demo", "semasia-v1", "timm-1.0.31")]
    cards = built_cards(sets)
    small = built.filter(pl.col("num_parameters") < 60e6)["model_name"].to_list()
    chosen = set(random.Random(7).sample(small, 15))
    rows = registry_rows(
        [c for c in cards if c.name in chosen],
        releases=first_releases(folder),
        reading=paper_reading(folder),
    )
    again = frame_of(rows, COLUMNS).sort("model_name")
    kept = built.filter(pl.col("model_name").is_in(list(chosen)))
    assert again.write_csv() == kept.write_csv()


def test_every_model_of_every_set_is_there_once(built: pl.DataFrame, repository: Path) -> None:
    names = set(built["model_name"])
    assert len(names) == len(built) == 1828
    for known in ("demo", "semasia-v1", "timm-1.0.31"):
        assert set(load_model_set(known, repository / "registry" / "models")) <= names
    csv = pl.read_csv(repository / "registry" / "registry.csv", infer_schema_length=None)
    assert csv["model_name"].to_list() == built["model_name"].to_list()


def test_no_family_is_null_and_tokens_are_accounted_for(built: pl.DataFrame) -> None:
    timm = built.filter(pl.col("weights_source") == "hub")
    assert len(timm) == 1826
    never_null = timm.select("family", "macro_family", "license", "input_resolution")
    assert never_null.null_count().sum_horizontal().item() == 0
    assert (timm["unparsed"] == "").mean() >= 0.99
    assert (timm["family"] != "unknown").all()


def test_every_identifier_of_timm_is_read(repository: Path) -> None:
    reading = read_identifiers(load_model_set("timm-1.0.31", repository / "registry" / "models"))
    assert reading.identifiers == 1826
    assert reading.exceptions == {}
    assert reading.without_family == []
    assert reading.accounted_share >= 0.99


def test_a_reading_counts_what_it_could_not_read() -> None:
    names = ["resnet18.a1_in1k", "", "nonesuch_50.a1_in1k", "resnet18.qqzz_in1k"]
    reading = read_identifiers(names)
    assert list(reading.exceptions) == [""]
    assert reading.without_family == ["nonesuch_50.a1_in1k"]
    assert reading.unparsed["resnet18.qqzz_in1k"] == "qqzz"
    assert reading.accounted_share == 0.25
    assert "1 exceptions, 1 without a family, 25.00 %" in str(reading)


def test_capacity_is_null_only_with_a_reason(built: pl.DataFrame) -> None:
    unknown = built.filter(pl.col("latent_dim").is_null())
    assert unknown["capacity_note"].null_count() == 0
    assert unknown["model_name"].str.contains("_enc.", literal=True).all()
    assert built["num_parameters"].null_count() == 0


def test_queries(built: pl.DataFrame) -> None:
    chosen = select_models(
        built, "family = 'ViT' AND num_parameters < 1e7 AND license NOT LIKE 'cc-by-nc%'"
    )
    assert "vit_tiny_patch16_224.augreg_in21k_ft_in1k" in chosen
    assert "resnet18.a1_in1k" not in chosen
    with pytest.raises(ConfigError, match=r"no column 'num_params'. Did you mean num_parameters"):
        select_models(built, "num_params < 5")
    with pytest.raises(ConfigError, match="is no condition in polars' SQL"):
        select_models(built, "family = = 'ViT'")
    with pytest.raises(ConfigError, match=r"'nobody.x' is not in the built registry"):
        select_models(built, "TRUE", ["nobody.x"])


def test_a_query_reaches_models_of_ones_own(repository: Path, tmp_path: Path) -> None:
    seeded = {
        "name": "lcnet_050.mine",
        "architecture": "lcnet_050",
        "weights": {"source": "random", "seed": 3},
        "license": "mit",
    }
    larger = {**seeded, "name": "resnet18.mine", "architecture": "resnet18"}
    named = {"name": "resnet18.a1_in1k", "architecture": "resnet18.a1_in1k"}
    path = tmp_path / "models.yaml"
    path.write_text(yaml.safe_dump({"description": "mine", "models": [seeded, larger, named]}))
    content = {
        "benchmarks": [{"name": "mnist"}],
        "models": {"file": str(path), "where": "num_parameters < 5e6 OR license = 'apache-2.0'"},
        "pathvars": {"results": str(tmp_path / "results")},
    }
    config = parse_config(content, "my.yaml")
    collection = Collection.resolve(config, repository / "registry", "my.yaml")
    assert list(collection.models) == ["lcnet_050.mine", "resnet18.a1_in1k"]
    kept = sorted((tmp_path / "results" / "registry" / "models").glob("*.json"))
    assert len(kept) == 2
    times = [p.stat().st_mtime_ns for p in kept]
    assert Collection.resolve(config, repository / "registry", "my.yaml").models
    assert [p.stat().st_mtime_ns for p in kept] == times


def test_a_configuration_selects_by_query(repository: Path) -> None:
    content = {
        "benchmarks": [{"name": "mnist"}],
        "models": {"set": "semasia-v1", "where": "family = 'ResNet' AND depth_code = '18'"},
    }
    config = parse_config(content, "my.yaml")
    collection = Collection.resolve(config, repository / "registry", "my.yaml")
    assert "resnet18.a1_in1k" in collection.models
    assert all(m.split(".")[0].find("18") > 0 for m in collection.models)
    assert collection.models["resnet18.a1_in1k"] == EncoderCard.of_timm("resnet18.a1_in1k")


def test_what_the_papers_authors_read_stands_beside(
    built: pl.DataFrame, repository: Path, tmp_path: Path
) -> None:
    """Of all of the paper's models, and of no other; each difference has its reason."""
    folder = repository / "registry"
    read = built.filter(pl.col("paper_family").is_not_null())
    assert set(read["model_name"]) == set(load_model_set("semasia-v1", folder / "models"))
    others = built.filter(pl.col("paper_family").is_null())
    assert all(others[column].null_count() == len(others) for column in PAPER_COLUMNS)
    apart = frame_of(paper_differences(built, folder), DIFFERENCE_COLUMNS)
    assert apart.write_csv() == (folder / "paper_differences.csv").read_text(encoding="utf-8")
    known = yaml.safe_load((folder / "paper_reasons.yaml").read_text(encoding="utf-8"))
    assert {entry["reason"] for entry in known} == set(apart["reason"])
    spelt = pl.col("reason") == "a hyphen for a dash"
    assert len(apart.filter(pl.col("column") == "paper_macro_family", ~spelt)) == 160
    (tmp_path / "paper_reasons.yaml").write_text("[]")
    with pytest.raises(ConfigError, match="no reason why paper_family of aimv2_1b"):
        paper_differences(built, tmp_path)
    with pytest.raises(ConfigError, match=r"paper_reading\.csv: cannot be read"):
        paper_reading(tmp_path)
