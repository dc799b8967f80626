"""Model cards: which network, which weights, which preprocessing, under which name."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from semasia.closed import Closed
from semasia.inputs.origins import SHA256

# What a name may hold: it is a folder name, a Hub configuration name and a table key.
MODEL_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.+-]*$"


# Arguments of `timm.create_model` that would change what is loaded, or what the network returns,
# behind the back of the other fields.
_NOT_ARGUMENTS = (
    "cache_dir",
    "checkpoint_path",
    "device",
    "dtype",
    "exportable",
    "features_only",
    "in_chans",
    "model_name",
    "pretrained",
    "pretrained_cfg",
    "pretrained_cfg_overlay",
    "pretrained_strict",
    "scriptable",
    "weights_only",
)
State = Literal["raw", "ema"]
Side = Annotated[int, Field(ge=1, le=8192)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class HubWeights(Closed):
    """The checkpoint that timm names for this identifier."""

    source: Literal["hub"] = "hub"


class FileWeights(Closed):
    """A checkpoint file (safetensors, or a state dict loadable with `weights_only=True`)."""

    source: Literal["file"]
    path: str
    sha256: str | None = Field(
        default=None, pattern=SHA256, description="Digest the file must have."
    )
    state: State | None = Field(
        default=None,
        description="Which weights, where a file holds several: `raw`, or `ema` (averaged). "
        "Null: what timm loads, averaged ones first.",
    )


class FolderWeights(Closed):
    """A folder in timm's layout: one file of weights, and beside it `config.json`.

    Where that file is there its preprocessing and arguments are the network's; else timm's own for
    the architecture.
    """

    source: Literal["folder"]
    path: str
    state: State | None = Field(
        default=None,
        description="Which weights, where a file holds several: `raw`, or `ema` (averaged). "
        "Null: what timm loads, averaged ones first.",
    )


class PackageWeights(Closed):
    """A checkpoint file shipped by an installed Python package, which is never imported."""

    source: Literal["package"]
    package: str = Field(pattern=r"^[A-Za-z_]\w*$", description="Import name of the package.")
    distribution: str = Field(description="Name and version to install it by.")
    file: str = Field(description="Path inside the package.")
    sha256: str = Field(pattern=SHA256)
    converter: str | None = Field(
        default=None, description="Name of the conversion that renames its parameters to timm's."
    )


class RandomWeights(Closed):
    """timm's own initialisation from a seed: an untrained control, labelled so everywhere."""

    source: Literal["random"]
    seed: int = Field(ge=0)


Weights = Annotated[
    HubWeights | FileWeights | FolderWeights | PackageWeights | RandomWeights,
    Field(discriminator="source"),
]


class DataConfig(Closed):
    """Preprocessing values that replace those timm resolves for the architecture."""

    input_size: tuple[Literal[1, 3], Side, Side] | None = None
    interpolation: Literal["nearest", "bilinear", "bicubic", "box", "hamming", "lanczos"] | None = (
        None
    )
    crop_pct: float | None = Field(default=None, gt=0, le=1, allow_inf_nan=False)
    crop_mode: Literal["center", "squash", "border"] | None = None
    mean: tuple[Finite] | tuple[Finite, Finite, Finite] | None = None
    std: tuple[Positive] | tuple[Positive, Positive, Positive] | None = None

    @model_validator(mode="after")
    def _one_per_channel(self) -> DataConfig:
        channels = self.input_size[0] if self.input_size else 3
        for key, values in (("mean", self.mean), ("std", self.std)):
            if values and len(values) > channels:
                raise ValueError(f"`{key}` has {len(values)} values for images of 1 channel")
        return self


class EncoderCard(Closed):
    """One model of a collection."""

    name: str = Field(description="Unique name; for timm's own checkpoints, timm's identifier.")
    architecture: str = Field(description="What `timm.create_model` builds.")
    architecture_args: dict[str, Any] = Field(
        default_factory=dict, description="Keyword arguments for `timm.create_model`."
    )
    weights: Weights = Field(default_factory=HubWeights)
    data_config: DataConfig = Field(default_factory=DataConfig)
    license: str | None = Field(
        default=None, description="Licence of the weights; null: what timm states."
    )
    notes: str | None = None

    @field_validator("name")
    @classmethod
    def _safe(cls, value: str) -> str:
        return checked_name(value)

    @field_validator("architecture")
    @classmethod
    def _of_timm(cls, value: str) -> str:
        if bare := _bare_name(value):
            raise ValueError(f"timm's architectures are written without a prefix: {bare!r}")
        if value.startswith("local-dir:"):
            raise ValueError("for a folder, use `weights: {source: folder, path: …}`")
        return value

    @field_validator("architecture_args")
    @classmethod
    def _harmless(cls, value: dict[str, Any]) -> dict[str, Any]:
        for key in _NOT_ARGUMENTS:
            if key in value:
                raise ValueError(f"{key!r} is not for architecture_args: use the card's own fields")
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"plain finite values only ({error})") from None
        return value

    @property
    def is_control(self) -> bool:
        """Whether the weights are random."""
        return isinstance(self.weights, RandomWeights)

    @classmethod
    def of_timm(cls, name: str) -> EncoderCard:
        """Return the card of a timm identifier with the checkpoint that timm names for it."""
        return cls(name=name, architecture=name)


def checked_name(name: str) -> str:
    """Return a model name that is safe as a folder name.

    Raises
    ------
    ValueError
        If it is empty, too long, or holds a path separator, ``..``, a space or another character
        that a file system, a URL or a dataset configuration would trip over.
    """
    if bare := _bare_name(name):
        raise ValueError(
            f"{name!r} has a prefix; timm's identifiers are written without it: {bare!r}"
        )
    if not re.fullmatch(MODEL_NAME, name) or ".." in name or len(name) > 120:
        shown = name if len(name) <= 120 else name[:117] + "…"
        raise ValueError(
            f"{shown!r} cannot be a model name: letters, digits, '_', '.', '+' and '-' only, no "
            "'..', at most 120 characters"
        )
    return name


def _bare_name(name: str) -> str | None:
    """Return the identifier in an address of the Hub, such as ``hf-hub:timm/NAME``; else None."""
    found = re.fullmatch(
        r"(?:(?:(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/|hf[-_]hub:)(?:[\w.-]+/)?"
        r"|timm[/:])([\w.+-]+?)(?:@[\w.-]+|/tree/\w+)?/?",
        name,
    )
    return found[1] if found else None
