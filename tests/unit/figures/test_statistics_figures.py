"""Forest and violins draw what there is, and say what there is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from semasia.figures import draw_forest, draw_violins
from semasia.figures.violins import SIGNATURES
from semasia.statistics import contrasts, regression_table
from semasia.statistics.stacking import METRICS


@pytest.fixture
def table(repository: Path, rng: np.random.Generator) -> pl.DataFrame:
    registry = pl.read_parquet(repository / "registry" / "registry.parquet")
    names = [
        f"{network}.{tag}"
        for network in ("vit_base_patch16_224", "vit_small_patch16_224", "vit_base_patch32_224")
        for tag in ("augreg_in1k", "augreg_in21k", "augreg_in21k_ft_in1k")
    ]
    frames = [
        pl.DataFrame(
            {
                "benchmark": benchmark,
                "split": "test",
                "model_name": names,
                **{m: rng.normal(size=len(names)) for m in METRICS},
            }
        )
        for benchmark in ("a", "b")
    ]
    pairs = contrasts(registry.filter(pl.col("model_name").is_in(names)))
    return regression_table(pl.concat(frames), pairs)


def test_forest_names_what_has_no_pairs(table: pl.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "forest.svg"
    draw_forest(table, path)
    drawn = path.read_text()
    assert "<!-- 3 pairs, 6 models -->" in drawn
    assert "<!-- no pair of this -->" in drawn
    again = tmp_path / "again.svg"
    draw_forest(table, again)
    assert again.read_bytes() == path.read_bytes()
    draw_forest(table.clear(), path)
    assert path.read_text().count("<!-- no pair of this -->") == 5


@pytest.mark.parametrize("models", [0, 3, 40])
def test_violins_draw_few_and_many(
    models: int, repository: Path, rng: np.random.Generator, tmp_path: Path
) -> None:
    registry = pl.read_parquet(repository / "registry" / "registry.parquet")
    convolutional = registry.filter(macro_family="Convolutional", untrained=False).head(models)
    graphs = pl.DataFrame(
        {
            "benchmark": "cifar10",
            "split": "test",
            "recipe": "own",
            "model_name": convolutional["model_name"].to_list(),
            **{s: rng.normal(size=models) for s in (*SIGNATURES, "eigengap_normalized")},
        },
        schema_overrides=dict.fromkeys(("benchmark", "split", "recipe", "model_name"), pl.String),
    )
    path = tmp_path / "violins.svg"
    # Two recipes of one split are two rows: no model is drawn twice in one.
    graphs = pl.concat([graphs, graphs.with_columns(recipe=pl.lit("paper"))])
    draw_violins(graphs, registry, path)
    drawn = path.read_text()
    if models:
        assert "<!-- cifar10/test, own -->" in drawn
        assert "<!-- cifar10/test, paper -->" in drawn
        assert f"<!-- Convolutional ({models}) -->" in drawn
        assert "<!-- MetaFormer (0) -->" in drawn
    else:
        assert "<!-- no graph of a trained model -->" in drawn
    assert ("FillBetweenPolyCollection" in drawn) == (models >= 10)
