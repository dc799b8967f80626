"""The configuration file: every key, its meaning and its default, closed to unknown ones."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from semasia.closed import Closed, explain
from semasia.config.comparison import Comparison
from semasia.config.hub import Hub
from semasia.errors import ConfigError
from semasia.inputs.cards import NAME
from semasia.inputs.origins import Source

_REPO = r"^[^/@\s]+/[^/@\s]+(@[^/@\s]+)?$"


class BenchmarkChoice(Closed):
    """One benchmark of the collection."""

    name: str = Field(pattern=NAME, description="Name of a card in `registry/benchmarks/`.")
    card: str | None = Field(
        default=None, description="Path of a card of your own, in place of one in the registry."
    )
    source: Source | None = Field(
        default=None,
        description="Where to read from, in place of the card's source: a local copy, say.",
    )
    splits: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="Splits to build; null builds all of the card's."
    )
    rows: dict[str, int] = Field(
        default_factory=dict,
        description="Cap per split: a fixed, stratified choice of that many rows, ids unchanged.",
    )

    @field_validator("splits")
    @classmethod
    def _once(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and len(set(value)) < len(value):
            raise ValueError("a split is listed twice")
        return value

    @field_validator("rows")
    @classmethod
    def _positive(cls, value: dict[str, int]) -> dict[str, int]:
        for split, rows in value.items():
            if rows < 1:
                raise ValueError(f"a cap is at least 1, found {rows} for split {split!r}")
        return value


class Exclusion(Closed):
    """A model that is left out, and why."""

    model: str = Field(description="Name of a model of the set.")
    reason: str = Field(min_length=1, description="Why it is left out; kept for the record.")


class Models(Closed):
    """The models of the collection."""

    set: str | None = Field(
        default=None, description="Name of a model set in `registry/models/`, without its suffix."
    )
    file: str | None = Field(
        default=None, description="Path of a model set of your own, in place of `set`."
    )
    only: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="Keep only these models of the set."
    )
    where: str | None = Field(
        default=None,
        description="Keep only models that this condition holds for: polars' SQL over the "
        "registry's columns (docs/registry.md): `family = 'ViT' AND num_parameters < 1e8`.",
    )
    exclude: tuple[Exclusion, ...] = Field(
        default=(), description="Models left out: a list of `model` and `reason`."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Models:
        if (self.set is None) == (self.file is None):
            raise ValueError("give either `set` or `file`")
        return self


class Extract(Closed):
    """How latents are extracted."""

    preprocess: Literal["device", "reference"] = Field(
        default="device",
        description="`device`: the pixels of timm's transform, bit for bit, by batches where the "
        "network runs. `reference`: timm's transform itself, image by image, unchanged.",
    )
    precision: Literal["float32", "tf32", "bfloat16", "float16"] = Field(
        default="float32",
        description="What networks compute in; recorded, with its distance from float32 on a "
        "sample of rows in the timings table. Stored vectors are float32.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto",
        description="Where networks run; `auto` takes an accelerator if there is one.",
    )
    batch_size: int | None = Field(
        default=None,
        ge=1,
        le=65536,
        description="Largest number of images per forward pass. Null: 32 on a processor, 256 on an "
        "accelerator, where it is grown to as memory lasts.",
    )
    batches_per_part: int = Field(
        default=16,
        ge=1,
        description="Forward passes between two saves: what a killed job loses at most.",
    )
    compile_from: int | None = Field(
        default=30_000,
        ge=1,
        description="Rows of a split from which a network of convolutions is compiled where it "
        "runs on a processor and a C++ compiler is there; null: never.",
    )
    together: bool | None = Field(
        default=None,
        description="Whether a job goes on with the other splits of its model, so that one process "
        "and one reading of the weights serve them all; the jobs of these splits then take what it "
        "made. Null: where an accelerator computes.",
    )


class LatentsChoice(Closed):
    """Whether latents are computed, or taken from where they were published."""

    source: Literal["extracted", "published"] = Field(
        default="extracted",
        description="`extracted`: computed here. `published`: fetched from the Hugging Face Hub, "
        "in Semasia's layout or the original release's; nothing then needs images or an "
        "accelerator.",
    )
    repos: dict[str, Annotated[str, Field(pattern=_REPO)]] = Field(
        default_factory=dict,
        description="Repository of each benchmark, `NAMESPACE/NAME`, with `@COMMIT` behind it "
        "where another than the newest is meant. One that is left out is "
        "`semasia-{benchmark}` of `hub.namespace`.",
    )


class GraphChoice(Closed):
    """The graphs of nearest neighbours."""

    k: int = Field(default=10, ge=1, le=1000, description="Neighbours that a point is joined to.")
    points: int | None = Field(
        default=10_000,
        ge=2,
        description="Most points of a graph, chosen by a hash of their ids; null takes all rows. "
        "Signatures depend on the number of points: compare graphs of the same. The recipe "
        "`paper` has its own, 10,000.",
    )


class Analysis(Closed):
    """How analyses are cut into jobs, and what they ask."""

    blocks: int = Field(
        default=1,
        ge=1,
        le=1024,
        description="Jobs that the models of one split are spread over, by a hash of their names.",
    )
    graph: GraphChoice = Field(default_factory=GraphChoice)


class Projection(Closed):
    """The latent spaces drawn in two dimensions."""

    benchmark: str = Field(description="One of `benchmarks`.")
    split: str = Field(description="One of its splits.")
    label: str | None = Field(
        default=None, description="Label column that colours; null: the probe's."
    )
    models: tuple[str, ...] = Field(min_length=1, max_length=4, description="One panel each.")


class Figures(Closed):
    """Which figures are drawn."""

    projection: Projection | None = Field(
        default=None, description="Latent spaces to draw in two dimensions; null draws none."
    )


class Config(Closed):
    """A collection: which models on which benchmarks, and what is made of them."""

    title: str = Field(default="Semasia", description="Heading of the report.")
    benchmarks: tuple[BenchmarkChoice, ...] = Field(
        min_length=1, description="Benchmarks to build, a list."
    )
    models: Models
    extract: Extract = Field(default_factory=Extract)
    latents: LatentsChoice = Field(default_factory=LatentsChoice)
    analysis: Analysis = Field(default_factory=Analysis)
    comparison: Comparison | None = Field(
        default=None, description="Latent spaces compared with each other; null compares none."
    )
    hub: Hub | None = Field(
        default=None, description="Where `snakemake publish` sends shards; null: nowhere."
    )
    figures: Figures = Field(default_factory=Figures)
    existing_only: bool = Field(
        default=False,
        description="Analyse the shards that are there, without waiting for the others. The "
        "workflow sets it itself for a last pass after a run in which targets failed.",
    )
    pathvars: dict[Literal["results", "logs"], Annotated[str, Field(min_length=1)]] = Field(
        default_factory=dict, description="Folders, in place of `results` and `results/logs`."
    )

    @property
    def results(self) -> str:
        """The folder of all output."""
        return self.pathvars.get("results", "results").rstrip("/")

    @property
    def logs(self) -> str:
        """The folder of all logs."""
        return self.pathvars.get("logs", f"{self.results}/logs")


def parse_config(content: Any, file: str) -> Config:
    """Check a configuration.

    Parameters
    ----------
    content : mapping
        What the file holds.
    file : str
        Its path, for the message.

    Raises
    ------
    ConfigError
        Naming every unknown key, missing key or wrong value.
    """
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        raise ConfigError(
            f"{file}: {explain(error, Config)} Every key is described in config/README.md."
        ) from None
