"""What the rules of the contrasts hold fixed or vary: columns derived from the registry table."""

from __future__ import annotations

import polars as pl

from semasia.errors import StatisticsError
from semasia.registry.paper_reading import PAPER_COLUMNS
from semasia.registry.parsed import FLAGS

# ImageNet's variants by number of classes, as the authors' published analysis orders them
# (SPAICOM/semasia-datasets, scripts/stat_analysis.py, `IMAGENET_VARIANTS`).
IMAGENET_VARIANTS = (
    "ImageNet-1K",
    "ImageNet-12K",
    "ImageNet-21K",
    "ImageNet-W21K",
    "ImageNet-22K",
)
# Semasia, Appendix A.3: "pretrain_aug tracks augmentation (AugReg, AdvProp, …)". The registry of
# this project also keeps recipes (A1, RA2, SW, …) in that column; they are no augmentations here.
AUGMENTATIONS = ("AugReg", "AdvProp", "NoisyStudent", "AutoAugment", "RandAugment")
_AUGMENTATION_TOKENS = ("augreg", "ap", "ns", "aa", "ra", "orig")
_CORPUS_TOKENS = ("in1k", "in12k", "in21k", "inw21k", "in22k")

# Sizes of the families that the authors' published analysis compares, smallest first, in its order
# (same source, `FAMILY_SIZE_ORDERS`). It puts Medium above Base, though ViT-Medium is the smaller.
SIZE_ORDERS: dict[str, tuple[str, ...]] = {
    "ViT": ("Tiny", "Small", "Base", "Medium", "Large", "Huge", "Gigantic", "Enormous"),
    "ConvNeXt": ("Tiny", "Small", "Base", "Large", "XLarge", "Huge"),
    "Swin": ("Tiny", "Small", "Base", "Large"),
    "DeiT": ("Tiny", "Small", "Base", "Medium", "Large", "Huge"),
    "MaxViT": ("Tiny", "Small", "Base", "Large", "XLarge"),
    "MobileNet": ("Small", "Medium", "Large"),
    "MobileViT": ("XXSmall", "XSmall", "Small", "Medium", "Large", "XLarge"),
}

# What an identifier says of the network itself in a word or not at all.
DESIGN_FLAGS = tuple(sorted(FLAGS - {"pretrain_i18n"}))

REQUIRED = (
    "model_name",
    "family",
    "macro_family",
    "model_version",
    "size",
    "depth_code",
    "width_code",
    "patch_size",
    "input_resolution",
    "window_size",
    "head_type",
    "num_registers",
    "positional_encoding",
    "activation",
    "pe_scope",
    "pretrain_config",
    "pretrain_org",
    "pretrain_dataset",
    "pretrain_method",
    "pretrain_ft",
    "pretrain_aug",
    "num_parameters",
    "num_backbone_parameters",
    *PAPER_COLUMNS,
    *DESIGN_FLAGS,
    "crop_pct",
    "crop_mode",
    "interpolation",
    "mean",
    "std",
    "untrained",
)


def with_design(registry: pl.DataFrame) -> pl.DataFrame:
    """Return the trained models of a registry table with the columns that rules speak of.

    Parameters
    ----------
    registry : DataFrame
        A registry table (``docs/registry.md``), one row per model.

    Returns
    -------
    DataFrame
        Sorted by ``model_name``, with ``network`` (the identifier before its first dot),
        ``corpus_rank`` (place in :data:`IMAGENET_VARIANTS`, else null), ``corpus_named``
        (whether the tag itself names an ImageNet variant), ``augmentation`` (one of
        :data:`AUGMENTATIONS` or null),
        ``recipe`` (the tag without corpora and ``ft``), ``procedure`` (the recipe without its
        augmentation token) and ``input`` (preprocessing but for the resolution). Of the columns of
        :data:`PAPER_COLUMNS` those of a name that the paper's authors did not read are ours; by
        them come ``paper_corpus_rank``, ``paper_size_rank`` (place in :data:`SIZE_ORDERS`) and
        ``paper_scale_order`` (by size rank, parameters, name).

    Raises
    ------
    StatisticsError
        If a column is missing or a model is there twice.
    """
    missing = [name for name in REQUIRED if name not in registry.columns]
    if missing:
        raise StatisticsError(
            f"registry table: column {missing[0]!r} is missing ({len(missing)} such columns); "
            "make it with the rule `registry` or `make registry`."
        )
    twice = registry.filter(pl.col("model_name").is_duplicated())["model_name"]
    if len(twice):
        raise StatisticsError(
            f"registry table: model {twice[0]!r} is there {(twice == twice[0]).sum()} times; "
            "contrasts need one row per model."
        )
    variants = {name: rank for rank, name in enumerate(IMAGENET_VARIANTS)}
    tokens = pl.col("pretrain_config").fill_null("").str.split("_")
    recipe = _without(tokens, (*_CORPUS_TOKENS, "ft"))
    return (
        registry.filter(~pl.col("untrained"))
        .sort("model_name")
        .with_columns(
            network=pl.col("model_name").str.split(".").list.first(),
            corpus_rank=pl.col("pretrain_dataset").replace_strict(
                variants, default=None, return_dtype=pl.Int64
            ),
            corpus_named=tokens.list.eval(pl.element().is_in(_CORPUS_TOKENS)).list.any(),
            augmentation=pl.when(pl.col("pretrain_aug").is_in(AUGMENTATIONS)).then("pretrain_aug"),
            recipe=recipe,
            procedure=_without(recipe.str.split("_"), _AUGMENTATION_TOKENS),
            input=pl.concat_str(
                *("crop_pct", "crop_mode", "interpolation", "mean", "std"),
                separator="|",
                ignore_nulls=True,
            ),
        )
        .with_columns(
            **{
                column: pl.when(pl.col("paper_family").is_null())
                .then("augmentation" if column == "paper_pretrain_aug" else column[len("paper_") :])
                .otherwise(column)
                for column in PAPER_COLUMNS
            }
        )
        .with_columns(
            paper_corpus_rank=pl.col("paper_pretrain_dataset").replace_strict(
                variants, default=None, return_dtype=pl.Int64
            ),
            paper_size_rank=_size_rank(),
        )
        .with_columns(
            paper_scale_order=pl.struct("paper_size_rank", "num_parameters", "model_name").rank(
                "ordinal"
            )
        )
    )


def _without(tokens: pl.Expr, dropped: tuple[str, ...]) -> pl.Expr:
    return tokens.list.eval(pl.element().filter(~pl.element().is_in(dropped))).list.join("_")


def _size_rank() -> pl.Expr:
    rank = pl.lit(None, dtype=pl.Int64)
    for family, sizes in SIZE_ORDERS.items():
        places = {size: place for place, size in enumerate(sizes)}
        here = pl.col("paper_size").replace_strict(places, default=None, return_dtype=pl.Int64)
        rank = pl.when(pl.col("paper_family") == family).then(here).otherwise(rank)
    return rank
