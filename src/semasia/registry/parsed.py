"""What an identifier says of a model: the parsed columns of the registry (docs/registry.md)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ParsedIdentifier:
    """One identifier, column by column; null where neither a token nor a vocabulary speaks."""

    model_name: str
    family: str
    macro_family: str
    model_version: str | None = None
    size: str | None = None
    depth_code: str | None = None
    width_code: str | None = None
    patch_size: int | None = None
    input_resolution: int | None = None
    window_size: int | None = None
    stride_code: str | None = None
    head_type: str | None = None
    num_registers: int | None = None
    positional_encoding: str | None = None
    activation: str | None = None
    pe_scope: str | None = None
    is_distilled: bool = False
    is_pruned: bool = False
    is_legacy: bool = False
    is_gap: bool = False
    uses_quickgelu: bool = False
    uses_rmlp: bool = False
    uses_rw: bool = False
    uses_cr: bool = False
    uses_ns: bool = False
    uses_abswin: bool = False
    uses_ts: bool = False
    uses_aa: bool = False
    pretrain_config: str | None = None
    pretrain_org: str | None = None
    pretrain_dataset: str | None = None
    pretrain_dataset_size: str | None = None
    pretrain_method: str | None = None
    pretrain_ft: str | None = None
    pretrain_resolution: int | None = None
    pretrain_ft_resolution: int | None = None
    pretrain_epochs: int | None = None
    pretrain_tokens: str | None = None
    pretrain_aug: str | None = None
    pretrain_i18n: bool = False
    unparsed: str = ""


# What a vocabulary entry may feed, besides columns, and the columns each comes to.
# `generation` and `variant` make up the model version; `dataset` and `resolution` belong to the
# stage of training they are named in; `size_suffix` follows the size, as in Base Plus.
ROLES: dict[str, tuple[str, ...]] = {
    "generation": ("model_version",),
    "variant": ("model_version",),
    "size_suffix": ("size",),
    "dataset": ("pretrain_dataset", "pretrain_ft"),
    "resolution": ("pretrain_resolution", "pretrain_ft_resolution"),
}
INTEGERS = frozenset(
    [
        "patch_size",
        "input_resolution",
        "window_size",
        "num_registers",
        "pretrain_resolution",
        "pretrain_ft_resolution",
        "pretrain_epochs",
        "resolution",
    ]
)
FLAGS = frozenset(
    [
        "is_distilled",
        "is_pruned",
        "is_legacy",
        "uses_rmlp",
        "uses_rw",
        "uses_cr",
        "uses_ns",
        "uses_abswin",
        "uses_ts",
        "uses_aa",
        "pretrain_i18n",
    ]
)
# Several tokens may feed these; their values are joined by the text given.
JOINED = {
    "generation": " ",
    "variant": " ",
    "positional_encoding": " + ",
    "pretrain_method": " + ",
    "pretrain_aug": " + ",
    "dataset": " + ",
    "pretrain_ft": " + ",
}
# Set by the parser itself, never by an entry.
DERIVED = frozenset(
    ["model_name", "model_version", "is_gap", "uses_quickgelu", "pretrain_config", "unparsed"]
)
