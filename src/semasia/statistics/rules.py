"""The rules of the five conditions (Semasia, Table 2), each in two variants, as data.

A rule says which models may be controls, which may be treatments, which columns both share, and
what holds between the two. ``docs/methods-statistics.md`` shows them beside the paper's wording.
The ``paper`` rules take names as the paper's authors read them (columns ``paper_…`` of the
registry).
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from semasia.statistics.design import DESIGN_FLAGS, IMAGENET_VARIANTS


class Kind(NamedTuple):
    """Models that a rule admits in one role, and the words for them."""

    words: str
    models: pl.Expr

    def but(self, words: str, models: pl.Expr) -> Kind:
        """Return the models of this kind for which something more holds."""
        return Kind(f"{self.words}, {words}", self.models & models)


class Rule(NamedTuple):
    """Which two models make a pair. Columns of the treatment have the suffix ``_treatment``."""

    condition: str
    variant: str
    meaning: str
    control: Kind
    treatment: Kind
    same: tuple[str, ...]
    between: tuple[pl.Expr, ...] = ()

    @property
    def name(self) -> str:
        """Return ``condition/variant``."""
        return f"{self.condition}/{self.variant}"


_not_tuned = ("not fine-tuned", pl.col("pretrain_ft").is_null())
_tuned = ("fine-tuned to ImageNet-1K alone", pl.col("pretrain_ft") == "ImageNet-1K")
_plain = ("without augmentation", pl.col("augmentation").is_null())
_augmented = ("with augmentation", pl.col("augmentation").is_not_null())
_on_imagenet = Kind(
    "on an ImageNet that its tag names",
    pl.col("corpus_rank").is_not_null() & pl.col("corpus_named"),
)
_is_1k = pl.col("pretrain_dataset") == IMAGENET_VARIANTS[0]
_on_1k = Kind("on ImageNet-1K by its tag", _on_imagenet.models & _is_1k)
_on_larger = Kind("on an ImageNet larger than 1K by its tag", _on_imagenet.models & ~_is_1k)
_read_on_imagenet = Kind("on an ImageNet", pl.col("paper_corpus_rank").is_not_null())
_read_on_1k = Kind("on ImageNet-1K", pl.col("paper_pretrain_dataset") == IMAGENET_VARIANTS[0])
_read_not_tuned = ("not fine-tuned", pl.col("paper_pretrain_ft").is_null())
_read_tuned = ("fine-tuned to ImageNet-1K", pl.col("paper_pretrain_ft") == "ImageNet-1K")
_read_plain = ("without augmentation", pl.col("paper_pretrain_aug").is_null())
_read_augmented = ("with augmentation", pl.col("paper_pretrain_aug").is_not_null())
_on_known = Kind("on a known corpus", pl.col("pretrain_dataset").is_not_null())
_sized = _read_on_imagenet.but(
    "of a listed family and size", pl.col("paper_size_rank").is_not_null()
)

# Parameters without the classifier, which the corpus decides.
_parameters = pl.col("num_backbone_parameters")
_parameters_treatment = pl.col("num_backbone_parameters_treatment")
# Below this ratio of parameters two networks are no two sizes: ResNets that trade depth for width,
# searched networks of one budget, VGG-11 and -13.
LEAST_GROWTH = 1.1
_grows = LEAST_GROWTH * _parameters <= _parameters_treatment

# What two checkpoints of one network share when nothing but the factor differs.
_checkpoint = (
    "network",
    "input_resolution",
    "recipe",
    "pretrain_org",
    "pretrain_method",
    "pretrain_aug",
)
# What two sizes of one design share: every parsed column but those that say the capacity.
_design = (
    "family",
    "macro_family",
    "model_version",
    "patch_size",
    "input_resolution",
    "window_size",
    "head_type",
    "num_registers",
    "positional_encoding",
    "activation",
    "pe_scope",
    *DESIGN_FLAGS,
    "pretrain_config",
    "pretrain_dataset",
)
_paper_checkpoint = ("network", "paper_pretrain_aug")

RULES = (
    Rule(
        "dataset_complexity",
        "strict",
        "one network, resolution and recipe; ImageNet-1K against a larger ImageNet, neither "
        "fine-tuned",
        _on_1k.but(*_not_tuned),
        _on_larger.but(*_not_tuned),
        _checkpoint,
    ),
    Rule(
        "dataset_complexity",
        "paper",
        "one network and augmentation; any smaller ImageNet against any larger, neither fine-tuned",
        _read_on_imagenet.but(*_read_not_tuned),
        _read_on_imagenet.but(*_read_not_tuned),
        _paper_checkpoint,
        (pl.col("paper_corpus_rank") < pl.col("paper_corpus_rank_treatment"),),
    ),
    Rule(
        "specialization",
        "strict",
        "one network, resolution, recipe and larger ImageNet; not fine-tuned against fine-tuned "
        "to ImageNet-1K alone",
        _on_larger.but(*_not_tuned),
        _on_larger.but(*_tuned),
        (*_checkpoint, "pretrain_dataset"),
    ),
    Rule(
        "specialization",
        "paper",
        "one network, augmentation and ImageNet (ImageNet-1K too); not fine-tuned against "
        "fine-tuned to ImageNet-1K",
        _read_on_imagenet.but(*_read_not_tuned),
        _read_on_imagenet.but(*_read_tuned),
        (*_paper_checkpoint, "paper_pretrain_dataset"),
    ),
    Rule(
        "transfer_learning",
        "strict",
        "one network, resolution and recipe; trained on ImageNet-1K against pretrained on a larger "
        "ImageNet and fine-tuned to ImageNet-1K alone",
        _on_1k.but(*_not_tuned),
        _on_larger.but(*_tuned),
        _checkpoint,
    ),
    Rule(
        "transfer_learning",
        "paper",
        "one network and augmentation; trained on ImageNet-1K against any ImageNet (ImageNet-1K "
        "too) fine-tuned to ImageNet-1K",
        _read_on_1k.but(*_read_not_tuned),
        _read_on_imagenet.but(*_read_tuned),
        _paper_checkpoint,
    ),
    Rule(
        "augmentation",
        "strict",
        "one network, resolution, organisation, larger ImageNet, fine-tuning and recipe but for "
        "its augmentation; none against AugReg, AdvProp, NoisyStudent, AutoAugment or RandAugment",
        _on_larger.but(*_plain),
        _on_larger.but(*_augmented),
        (
            "network",
            "input_resolution",
            "procedure",
            "pretrain_org",
            "pretrain_dataset",
            "pretrain_ft",
        ),
    ),
    Rule(
        "augmentation",
        "paper",
        "one network, ImageNet (ImageNet-1K too) and fine-tuning; no augmentation against one of "
        "the five that A.3 names",
        _read_on_imagenet.but(*_read_plain),
        _read_on_imagenet.but(*_read_augmented),
        ("network", "paper_pretrain_dataset", "paper_pretrain_ft"),
    ),
    Rule(
        "model_scale",
        "strict",
        "one design but for its capacity (family, version, patch, window, head, tokens, flags), "
        "resolution and whole tag; fewer parameters against at least a tenth more",
        _on_known,
        _on_known,
        _design,
        (_grows,),
    ),
    Rule(
        "model_scale",
        "paper",
        "one of seven families, one ImageNet, augmentation and fine-tuning; earlier against later "
        "in the order of size words, then of parameters, then of names",
        _sized,
        _sized,
        ("paper_family", "paper_pretrain_dataset", "paper_pretrain_aug", "paper_pretrain_ft"),
        (pl.col("paper_scale_order") < pl.col("paper_scale_order_treatment"),),
    ),
)
