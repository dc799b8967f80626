"""Sources read with the `datasets` library: the Hub and saved datasets."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semasia.errors import SourceError, first_line, printable
from semasia.inputs.cards import InputsCard
from semasia.inputs.origins import HubSource, SavedSource
from semasia.inputs.sources.base import SourceSplit
from semasia.inputs.sources.columns import (
    as_mode,
    check_there,
    class_names,
    image_bytes,
    label_values,
)
from semasia.inputs.sources.numbering import checked_names

if TYPE_CHECKING:
    import datasets


def resolve_revision(card: InputsCard) -> str | None:
    """Return the commit that a Hub card's data are read from; None for a local source.

    A pinned revision is returned as it stands, without a network.

    Raises
    ------
    SourceError
        If the head cannot be asked for; says whether a token is missing.
    """
    source = card.source
    if not isinstance(source, HubSource) or source.revision:
        return source.revision if isinstance(source, HubSource) else None
    from huggingface_hub import HfApi

    try:
        revision = HfApi().dataset_info(source.repo).sha
    except Exception as error:
        raise _hub_error(card, source, error) from None
    if not revision:
        raise SourceError(f"{card.name}: the Hub names no commit for dataset {source.repo}.")
    return revision


def open_hub(card: InputsCard, source: HubSource, split: str, revision: str | None) -> SourceSplit:
    """Open one split of a dataset on the Hub, at one commit."""
    import datasets

    if revision is None:
        raise SourceError(f"{card.name}/{split}: no commit of {source.repo} was resolved.")
    files = {split: source.files[split]} if split in source.files else None
    try:
        loaded: Any = datasets.load_dataset(
            source.repo, source.config, split=split, revision=revision, data_files=files
        )
    except Exception as error:
        raise _hub_error(card, source, error) from None
    return _open(card, split, loaded, {"repo": source.repo, "revision": revision}, source.repo)


def open_saved(card: InputsCard, source: SavedSource, split: str) -> SourceSplit:
    """Open one split of a dataset written by ``save_to_disk``."""
    import datasets

    folder = saved_folder(card, source, split)
    try:
        loaded = datasets.Dataset.load_from_disk(str(folder))
    except Exception as error:
        raise SourceError(
            f"{card.name}/{split}: {printable(folder)} cannot be read: {first_line(error)}"
        ) from error
    # A saved dataset remembers its format, and with it the columns that are shown.
    return _open(card, split, loaded.with_format(None), {}, printable(folder))


def saved_folder(card: InputsCard, source: SavedSource, split: str) -> Path:
    """Return the folder that a split of a saved dataset lies in.

    Raises
    ------
    SourceError
        If there is none, or the one dataset at the path would serve as several splits.
    """
    path = Path(source.path)
    if (path / split / "state.json").is_file():
        return path / split
    if not (path / "dataset_dict.json").is_file() and (path / "state.json").is_file():
        if len(card.splits) > 1 and card.folds is None:
            raise SourceError(
                f"{card.name}/{split}: {printable(path)} is one saved dataset, and the card has "
                f"the splits {', '.join(card.splits)}: each would be the same rows. Save a "
                "`DatasetDict` with a dataset per split, or leave one split in the card."
            )
        return path
    found = [printable(p.name) for p in sorted(path.iterdir())] if path.is_dir() else None
    raise SourceError(
        f"{card.name}/{split}: {printable(path / split)} is no dataset saved by `datasets`; "
        f"{printable(path)} holds: {found or 'no such folder'}."
    )


def saved_names(card: InputsCard, source: SavedSource, split: str) -> dict[str, Any]:
    """Return the class names per label column that a split of a saved dataset states.

    Raises
    ------
    SourceError
        If its description cannot be read.
    """
    path = saved_folder(card, source, split) / "dataset_info.json"
    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(
            f"{card.name}/{split}: {printable(path)} is no description of a dataset "
            f"({first_line(error)})."
        ) from error
    return {column: class_names(features, column) for column in card.labels}


def _open(
    card: InputsCard,
    split: str,
    dataset: datasets.Dataset,
    origin: dict[str, str],
    place: str,
) -> SourceSplit:
    import datasets

    where = f"{card.name}/{split}"
    check_there(card, where, dataset.column_names)
    labels: dict[str, np.ndarray] = {}
    names: dict[str, tuple[str, ...] | None] = {}
    for column in card.labels:
        feature = dataset.features[column]
        table: Any = dataset.with_format("arrow", columns=[column])[:]
        labels[column] = label_values(where, column, table[column])
        stated = tuple(feature.names) if isinstance(feature, datasets.ClassLabel) else None
        names[column] = stated and checked_names(stated, f"{where}: {column!r}")
    images = dataset.select_columns([card.image])
    feature = dataset.features[card.image]
    mode = feature.mode if isinstance(feature, datasets.Image) else None
    if isinstance(feature, datasets.Image):
        images = images.cast_column(card.image, datasets.Image(decode=False))

    def stored(position: int) -> bytes:
        cell: Any = images[position][card.image]
        return image_bytes(where, card.image, cell, position)

    def converted(position: int) -> bytes:
        return as_mode(stored(position), str(mode), card.max_pixels)

    def place_of(position: int) -> str:
        cell: Any = images[position][card.image]
        path = cell.get("path") if isinstance(cell, dict) else None
        row = f"{place}, row {position}"
        return f"{printable(path)}, {row}" if path else row

    return SourceSplit(
        ids=np.arange(len(dataset), dtype=np.uint32),
        labels=labels,
        names=names,
        image=converted if mode else stored,
        origin=origin,
        where=place_of,
    )


def _hub_error(card: InputsCard, source: HubSource, error: Exception) -> SourceError:
    """Tell what went wrong without the original exception, which may quote the token."""
    from huggingface_hub import constants, get_token

    text = str(error).strip()
    reason = f"{type(error).__name__}: {text.splitlines()[0] if text else 'no message'}"
    token = get_token()
    reason = reason.replace(token, "…") if token else reason
    reason = re.sub(r"hf_\w+", "hf_…", reason)
    advice = "Check the network, or name a local copy with `source:` in the configuration."
    if constants.HF_HUB_OFFLINE:
        advice = (
            "HF_HUB_OFFLINE is set in the environment, so the Hub is not asked: unset it, give "
            "`source.revision` of a copy in the cache, or name a local copy with `source:`."
        )
    elif source.gated:
        advice = (
            "This dataset is gated: accept its terms on the Hub, then log in with `hf auth login` "
            f"or set HF_TOKEN. {advice}"
        )
    return SourceError(f"{card.name}: dataset {source.repo} cannot be read ({reason}). {advice}")
