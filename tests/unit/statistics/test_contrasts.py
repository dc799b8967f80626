"""Pairs differ in the factor of their condition and, under the strict rules, in nothing else."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semasia.errors import StatisticsError
from semasia.registry.paper_reading import PAPER_COLUMNS
from semasia.statistics import CONDITIONS, VARIANTS, contrasts, counts, differences
from semasia.statistics.pairing import COLUMNS

TABLE_2 = {
    "dataset_complexity": ("augreg_in1k", "augreg_in21k"),
    "specialization": ("augreg_in21k", "augreg_in21k_ft_in1k"),
    "transfer_learning": ("augreg_in1k", "augreg_in21k_ft_in1k"),
    "augmentation": ("orig_in21k", "augreg_in21k"),
}


def both_sides(pairs: pl.DataFrame, registry: pl.DataFrame, condition: str) -> pl.DataFrame:
    """Return the strict pairs of a condition, with both models' registry rows."""
    strict = pairs.filter(pl.col("variant") == "strict", pl.col("condition") == condition)
    known = registry.drop("family")
    return strict.join(known, left_on="control_model", right_on="model_name").join(
        known, left_on="treatment_model", right_on="model_name", suffix="_t"
    )


def test_the_committed_table_is_what_the_code_builds(
    all_pairs: pl.DataFrame, repository: Path
) -> None:
    committed = pl.read_parquet(repository / "registry" / "contrasts.parquet")
    assert committed.equals(all_pairs), "run `snakemake --forcerun build_contrasts`"
    assert (repository / "registry" / "contrasts.csv").read_text() == all_pairs.write_csv()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("condition", TABLE_2)
def test_the_examples_of_table_2_are_pairs(
    all_pairs: pl.DataFrame, condition: str, variant: str
) -> None:
    control, treatment = (f"vit_base_patch16_224.{tag}" for tag in TABLE_2[condition])
    found = all_pairs.filter(
        variant=variant, condition=condition, control_model=control, treatment_model=treatment
    )
    assert len(found) == 1


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_scale_example_of_table_2_is_a_pair(all_pairs: pl.DataFrame, variant: str) -> None:
    small, base = (f"vit_{size}_patch16_224.augreg_in1k" for size in ("small", "base"))
    assert len(all_pairs.filter(variant=variant, control_model=small, treatment_model=base)) == 1


def test_no_pair_comes_twice_in_either_direction(all_pairs: pl.DataFrame) -> None:
    ends = pl.concat_list("control_model", "treatment_model").list.sort()
    unordered = all_pairs.select("variant", "condition", ends=ends)
    assert not unordered.is_duplicated().any()
    assert (all_pairs["control_model"] != all_pairs["treatment_model"]).all()


def test_strict_checkpoints_share_network_resolution_and_recipe(
    all_pairs: pl.DataFrame, registry: pl.DataFrame
) -> None:
    corpora = {"in1k", "in12k", "in21k", "inw21k", "in22k", "ft"}
    for condition in ("dataset_complexity", "specialization", "transfer_learning"):
        for row in both_sides(all_pairs, registry, condition).iter_rows(named=True):
            networks, tags = zip(
                *(row[m].split(".", 1) for m in ("control_model", "treatment_model")), strict=True
            )
            assert networks[0] == networks[1]
            recipes = [[t for t in tag.split("_") if t not in corpora] for tag in tags]
            assert recipes[0] == recipes[1]
            for column in ("input_resolution", "pretrain_org", "pretrain_method", "pretrain_aug"):
                assert row[column] == row[f"{column}_t"], (row["control_model"], column)


def test_strict_factors(all_pairs: pl.DataFrame, registry: pl.DataFrame) -> None:
    def sides(condition: str) -> list[tuple]:
        columns = ["pretrain_dataset", "pretrain_ft", "pretrain_dataset_t", "pretrain_ft_t"]
        return both_sides(all_pairs, registry, condition).select(columns).rows()

    for corpus, tuned, other, other_tuned in sides("dataset_complexity"):
        assert (corpus, tuned, other_tuned) == ("ImageNet-1K", None, None)
        assert other.startswith("ImageNet-") and other != "ImageNet-1K"
    for corpus, tuned, other, other_tuned in sides("specialization"):
        assert corpus == other != "ImageNet-1K"
        assert (tuned, other_tuned) == (None, "ImageNet-1K")
    for corpus, tuned, other, other_tuned in sides("transfer_learning"):
        assert (corpus, tuned, other_tuned) == ("ImageNet-1K", None, "ImageNet-1K")
        assert other.startswith("ImageNet-") and other != "ImageNet-1K"
    for corpus, tuned, other, other_tuned in sides("augmentation"):
        assert (corpus, tuned) == (other, other_tuned)
        assert corpus != "ImageNet-1K"


def test_strict_scale_grows_in_one_design(all_pairs: pl.DataFrame, registry: pl.DataFrame) -> None:
    wide = both_sides(all_pairs, registry, "model_scale")
    assert (wide["treatment_parameters"] >= 1.1 * wide["control_parameters"]).all()
    for column in (
        "pretrain_config",
        "input_resolution",
        "patch_size",
        "window_size",
        "macro_family",
    ):
        assert wide[column].eq_missing(wide[f"{column}_t"]).all(), column
    assert wide["remark"].null_count() == len(wide)


def test_the_papers_scale_pairs_of_equal_size_are_listed(all_pairs: pl.DataFrame) -> None:
    base = "convnext_base.fb_in22k_ft_in1k"
    pair = all_pairs.filter(control_model=base, treatment_model=f"{base}_384").row(0, named=True)
    assert (pair["variant"], pair["remark"]) == ("paper", "equal parameters")
    assert "input_resolution 224 ≠ 384" in pair["not_in_other_variant_because"]


def test_the_papers_augmentation_pairs_include_in1k(all_pairs: pl.DataFrame) -> None:
    paper = all_pairs.filter(variant="paper", condition="augmentation")
    assert paper["control_model"].str.ends_with("_in1k").sum() > len(paper) / 2


def test_every_difference_has_a_reason(all_pairs: pl.DataFrame) -> None:
    apart = differences(all_pairs)
    assert (apart["not_in_other_variant_because"].str.len_chars() > 0).all()
    key = ["condition", "control_model", "treatment_model"]
    strict, paper = (all_pairs.filter(variant=v) for v in VARIANTS)
    only = len(strict.join(paper, on=key, how="anti")) + len(paper.join(strict, on=key, how="anti"))
    assert len(apart) == only


def test_counts_stand_beside_table_2(all_pairs: pl.DataFrame) -> None:
    table = {row[0]: row[1:] for row in counts(all_pairs).rows()}
    assert table == {
        "dataset_complexity": (31, 82, 31, 82, 328),
        "specialization": (75, 121, 75, 121, 484),
        "transfer_learning": (54, 113, 54, 113, 452),
        "augmentation": (5, 56, 5, 56, 224),
        "model_scale": (1613, 1815, 181, 1815, 7260),
    }
    # Two rows a pair and dataset would need whole numbers of pairs, and these are none.
    assert [row[4] % 8 for row in table.values()] == [0, 4, 4, 0, 4]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), fraction=st.floats(0.05, 0.6))
def test_pairs_depend_on_their_two_models_alone(
    all_pairs: pl.DataFrame, registry: pl.DataFrame, seed: int, fraction: float
) -> None:
    part = registry.sample(fraction=fraction, shuffle=True, seed=seed)
    names = part["model_name"].to_list()
    expected = contrasts(registry).filter(
        pl.col("control_model").is_in(names), pl.col("treatment_model").is_in(names)
    )
    assert contrasts(part).equals(expected)


def test_no_models_no_pairs(registry: pl.DataFrame) -> None:
    empty = contrasts(registry.clear())
    assert empty.columns == list(COLUMNS)
    assert empty.is_empty()
    assert counts(empty)["strict"].to_list() == [0] * len(CONDITIONS)


def test_names_that_the_authors_did_not_read_are_read_as_here(registry: pl.DataFrame) -> None:
    """A later list of timm makes pairs under the paper's rules, too."""
    own = registry.with_columns(pl.lit(None, pl.String).alias(c) for c in PAPER_COLUMNS)
    found = contrasts(own, ["paper"])
    assert len(found.filter(condition="specialization")) > 100
    read = contrasts(registry, ["paper"])
    differ = pl.col("treatment_model").str.contains("ns_jft")
    assert len(read.filter(differ)) > 0 and not len(found.filter(differ))


def test_untrained_models_make_no_pairs(registry: pl.DataFrame) -> None:
    assert contrasts(registry.with_columns(untrained=True)).is_empty()


def test_errors_name_what_is_wrong(registry: pl.DataFrame) -> None:
    with pytest.raises(StatisticsError, match="registry table: column 'family' is missing"):
        contrasts(registry.drop("family"))
    twice = pl.concat([registry, registry.filter(model_name="resnet18.a1_in1k")])
    with pytest.raises(StatisticsError, match=r"'resnet18.a1_in1k' is there 2 times"):
        contrasts(twice)
