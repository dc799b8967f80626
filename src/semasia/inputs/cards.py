"""Benchmark cards: one YAML file per benchmark, checked by a closed schema."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from unicodedata import normalize

from pydantic import Field, field_validator, model_validator

from semasia.closed import Closed, load_card
from semasia.errors import CardError, did_you_mean
from semasia.inputs.origins import Source

NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"


def distinct_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return class names composed as Unicode's form C, each of which is there once.

    Raises
    ------
    ValueError
        If two classes have one name, as spelled or once composed.
    """
    composed = tuple(normalize("NFC", name) for name in names)
    for name, number in Counter(composed).items():
        if number > 1:
            first, second = [i for i, other in enumerate(composed) if other == name][:2]
            raise ValueError(
                f"classes {first} and {second} are both named {name!r}, and a shard with two "
                "classes of one name cannot be opened by `datasets`: give each a name of its own"
            )
    return composed


class Split(Closed):
    """One split of a benchmark."""

    rows: int = Field(gt=0, description="Rows of the whole split; another count stops the run.")
    folds: tuple[int, ...] | None = Field(
        default=None,
        description="For a source without splits of its own: the folds that make up this one. The "
        "k-th row of a class, in source order, lies in fold k modulo the card's `folds`.",
    )


class LabelColumn(Closed):
    """One label column, stored under the source's own name as int64."""

    names: tuple[str, ...] | None = Field(
        default=None, description="Class names in order of value. Null: taken from the source."
    )
    classes: int | None = Field(
        default=None, description="Number of classes where no names are given."
    )
    absent: tuple[str, ...] = Field(default=(), description="Splits whose labels are all −1.")

    @field_validator("names")
    @classmethod
    def _distinct(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return names and distinct_names(names)

    @model_validator(mode="after")
    def _agree(self) -> LabelColumn:
        if self.names and self.classes not in (None, len(self.names)):
            raise ValueError(f"`classes` is {self.classes}, but {len(self.names)} names are given")
        return self


class Probe(Closed):
    """Which split a probe is fitted on, which it is scored on, and what it predicts."""

    fit: str
    score: str
    labels: tuple[str, ...] = Field(
        min_length=1, description="Label columns to predict; several give the mean over them."
    )


class InputsCard(Closed):
    """What decides the inputs of a benchmark, and nothing that only describes it."""

    name: str = Field(pattern=NAME)
    source: Source
    splits: dict[str, Split] = Field(min_length=1)
    folds: int | None = Field(
        default=None, ge=2, description="Number of folds where `splits` use folds."
    )
    image: str = Field(default="image", description="Name of the source's image column.")
    labels: dict[str, LabelColumn] = Field(default_factory=dict)
    image_range: tuple[int | float, int | float] | None = Field(
        default=None,
        description="Values of black and of white in images of more than 8 bits (16 and 32 bits, "
        "float), mapped linearly to 0 … 255 when a split is prepared: [0, 65535], say. Without it "
        "such images are refused. Images of 8 bits are taken as they are.",
    )
    max_pixels: int = Field(
        default=1 << 28,
        gt=0,
        description="The most pixels of an image; a larger one is refused before it is decoded.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> InputsCard:
        for name, split in self.splits.items():
            if not re.fullmatch(NAME, name):
                raise ValueError(f"split name {name!r} may hold letters, digits, _ and - only")
            if name == "source":
                raise ValueError("split name 'source' is taken: source.json says where one is read")
            if (split.folds is None) != (self.folds is None):
                raise ValueError("`folds` of the card and of its splits are given together")
            if self.folds and any(not 0 <= f < self.folds for f in split.folds or ()):
                raise ValueError(f"split {name!r}: folds {split.folds} are not below {self.folds}")
        taken = [f for s in self.splits.values() for f in s.folds or ()]
        if len(taken) != len(set(taken)):
            raise ValueError("a fold belongs to two splits")
        named: dict[str, Iterable[str]] = {
            f"labels.{c}.absent": column.absent for c, column in self.labels.items()
        }
        for key in ("files", "images", "label_files"):
            named[f"source.{key}"] = getattr(self.source, key, {})
        for key, splits in named.items():
            for split in splits:
                if split not in self.splits:
                    raise ValueError(f"{key}: split {split!r} is not among {list(self.splits)}")
        if self.image_range is not None:
            low, high = self.image_range
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise ValueError(
                    f"image_range: [{low}, {high}] are not two finite values, black below white"
                )
        reserved = {"id", "model_name", "embedding", "image"} & set(self.labels)
        if reserved:
            raise ValueError(f"label columns {sorted(reserved)} clash with columns of a shard")
        return self


class BenchmarkCard(InputsCard):
    """Everything the workflow knows about a benchmark before reading it."""

    title: str
    not_labels: dict[str, str] = Field(
        default_factory=dict, description="Source columns left out on purpose, each with a reason."
    )
    probe: Probe | None = None
    licence: str
    citation: str
    homepage: str | None = None
    original_repo: str | None = Field(
        default=None, description="Name in the originally released collection, without `semasia-`."
    )
    notes: str | None = None

    @model_validator(mode="after")
    def _probe_fits(self) -> BenchmarkCard:
        if self.probe:
            for split in (self.probe.fit, self.probe.score):
                if split not in self.splits:
                    raise ValueError(f"probe: split {split!r} is not among {list(self.splits)}")
            for label in self.probe.labels:
                if label not in self.labels:
                    raise ValueError(f"probe: label {label!r} is not among {list(self.labels)}")
        return self

    @property
    def strata(self) -> str | None:
        """The label column that a capped split is stratified by."""
        columns = self.probe.labels if self.probe else tuple(self.labels)
        return columns[0] if len(columns) == 1 else None

    def classes(self, column: str) -> int:
        """Return the number of classes that the card states for a label column, 0 for none."""
        stated = self.labels[column]
        return len(stated.names) if stated.names else stated.classes or 0


def load_benchmark(path: Path) -> BenchmarkCard:
    """Read one benchmark card.

    Raises
    ------
    CardError
        If the file is missing, is not YAML, or breaks the schema; the message names the key.
    """
    return load_card(path, BenchmarkCard)


def find_benchmark(name: str, folder: Path) -> Path:
    """Return the path of the card called ``name`` under ``folder``.

    Raises
    ------
    CardError
        If there is none; the message offers the nearest names.
    """
    path = folder / f"{name}.yaml"
    if not re.fullmatch(NAME, name) or not path.is_file():
        known = sorted(p.stem for p in folder.glob("*.yaml"))
        raise CardError(
            f"unknown benchmark {name!r}: no card {name}.yaml in {folder}."
            f"{did_you_mean(name, known)} Known: {', '.join(known)}."
        )
    return path
