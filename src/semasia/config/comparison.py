"""What is compared with what: the configuration's part on similarity and alignment."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from semasia.closed import Closed

# The names of `semasia.comparison.alignment.METHODS`, which a test holds them to.
ALIGNMENT_METHODS = ("linear", "parseval", "cca", "procrustes", "ridge", "relative")


class Pair(Closed):
    """Two models, from the one that sends to the one that receives."""

    a: str = Field(description="Model whose latents are carried over.")
    b: str = Field(description="Model whose space they are carried into.")
    differ_in: str | None = Field(
        default=None, description="What the two differ in, for headings of figures."
    )


class Comparison(Closed):
    """Latent spaces compared with each other, on the same inputs of one benchmark."""

    benchmark: str = Field(description="One of `benchmarks`.")
    fit: str | None = Field(
        default=None,
        description="Split that maps are fitted on; null: the probe's, without one the first.",
    )
    score: str | None = Field(
        default=None,
        description="Another split, that is compared and scored; null: the probe's, without one "
        "the last.",
    )
    rows: int | None = Field(
        default=10_000,
        ge=20,
        description="The anchor of similarities: most rows, chosen by a hash of their ids; null "
        "takes all. Similarities depend on the anchor: compare those of the same.",
    )
    models: tuple[str, ...] | None = Field(
        default=None,
        min_length=2,
        description="Every two of these are compared, and probes carried between them; null: the "
        "models of `pairs`. The cost grows with the square.",
    )
    pairs: tuple[Pair, ...] = Field(
        default=(), description="Aligned, and compared in their bases; similarities get intervals."
    )
    methods: tuple[str, ...] = Field(
        default=ALIGNMENT_METHODS,
        min_length=1,
        description="Methods of alignment: docs/methods-alignment.md.",
    )
    components: tuple[int, ...] = Field(
        default=(1, 2, 5, 10, 20, 50, 100, 200, 500),
        min_length=1,
        description="Components that a map retains, as far as the smaller width of a pair allows; "
        "that width is added.",
    )
    prototype_rows: int | None = Field(
        default=None,
        ge=1,
        description="Rows of a cluster that a prototype of `parseval` is the mean of (ϱ of the "
        "paper's Algorithm 1, which gives no value); null: all, as its published analysis takes.",
    )
    few_rows: tuple[int, ...] = Field(
        default=(100, 500, 2500),
        description="Maps are fitted on so many paired rows too, as far as there are more.",
    )
    intervals: Literal["pairs", "all"] = Field(
        default="pairs",
        description="Which similarities get 95 % intervals: those of `pairs`, or of every two "
        "models, which costs some twenty times as much.",
    )
    sampling: Literal["rows", "classes"] = Field(
        default="rows",
        description="How rows are meant to have come, for intervals of similarities: drawn at "
        "random, or with the numbers of rows of each class (of the first label column) fixed, as "
        "in splits made with so many of each.",
    )
    tile: int = Field(
        default=16, ge=1, le=1024, description="Models of a job: it compares so many with so many."
    )

    @field_validator("components", "few_rows")
    @classmethod
    def _ascending(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(v < 1 for v in value) or len(set(value)) < len(value):
            raise ValueError("these are different numbers, each at least 1")
        return tuple(sorted(value))

    @field_validator("few_rows")
    @classmethod
    def _two_or_more(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if value and value[0] < 2:
            raise ValueError("a map is fitted on two rows or more")
        return value

    @field_validator("models", "methods")
    @classmethod
    def _once(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        twice = [name for name in value or () if (value or ()).count(name) > 1]
        if twice:
            raise ValueError(f"{twice[0]!r} is listed twice")
        return value

    @field_validator("pairs")
    @classmethod
    def _pairs_once(cls, value: tuple[Pair, ...]) -> tuple[Pair, ...]:
        named = [(p.a, p.b) for p in value]
        if len(set(named)) < len(named):
            raise ValueError("a pair is listed twice")
        for pair in value:
            if pair.a == pair.b:
                raise ValueError(f"{pair.a!r} is paired with itself")
        return value

    @model_validator(mode="after")
    def _pairs_are_compared(self) -> Comparison:
        if self.models is not None:
            left_out = [m for p in self.pairs for m in (p.a, p.b) if m not in self.models]
            if left_out:
                raise ValueError(f"{left_out[0]!r} is in `pairs` and not in `models`")
        return self

    def compared(self) -> tuple[str, ...]:
        """Return the models of which every two are compared, each pair's among them, by name."""
        named = self.models or tuple(m for p in self.pairs for m in (p.a, p.b))
        return tuple(sorted(set(named)))

    def tiles(self) -> list[tuple[int, int]]:
        """Return the jobs of :meth:`compared`: pairs of groups of :attr:`tile` models."""
        groups = range(-(-len(self.compared()) // self.tile))
        return [(i, j) for i in groups for j in groups if i <= j]

    def group(self, number: int) -> tuple[str, ...]:
        """Return the models of a group."""
        return self.compared()[number * self.tile : (number + 1) * self.tile]
