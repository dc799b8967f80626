"""Sources read with the `datasets` library: the Hub, saved datasets, Parquet files."""

from __future__ import annotations

import glob
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semasia.errors import SourceError
from semasia.inputs.cards import InputsCard
from semasia.inputs.images import decode
from semasia.inputs.origins import HubSource, ParquetSource, SavedSource
from semasia.inputs.sources.base import SourceSplit

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
    return _open(card, split, loaded, {"repo": source.repo, "revision": revision})


def open_saved(card: InputsCard, source: SavedSource, split: str) -> SourceSplit:
    """Open one split of a dataset written by ``save_to_disk``."""
    import datasets

    path = Path(source.path)
    folder = path / split if (path / "dataset_dict.json").is_file() else path
    if not (folder / "state.json").is_file():
        found = sorted(p.name for p in path.iterdir()) if path.is_dir() else "no such folder"
        raise SourceError(
            f"{card.name}/{split}: {folder} is no dataset saved by `datasets`; {path} holds: "
            f"{found}."
        )
    try:
        loaded = datasets.Dataset.load_from_disk(str(folder))
    except Exception as error:
        raise SourceError(f"{card.name}/{split}: {folder} cannot be read: {error}") from error
    return _open(card, split, loaded, {})


def open_parquet(card: InputsCard, source: ParquetSource, split: str) -> SourceSplit:
    """Open one split of a folder of Parquet files, in the order of their names."""
    import datasets

    pattern = source.files.get(split, f"{split}-*.parquet")
    # `datasets` takes each path for a pattern.
    files = sorted(glob.escape(str(p)) for p in Path(source.path).glob(pattern))
    if not files:
        raise SourceError(f"{card.name}/{split}: no file {pattern} in {source.path}.")
    try:
        loaded: Any = datasets.load_dataset("parquet", data_files={"train": files}, split="train")
    except Exception as error:
        raise SourceError(f"{card.name}/{split}: {files[0]} …: {error}") from error
    return _open(card, split, loaded, {})


def _open(
    card: InputsCard, split: str, dataset: datasets.Dataset, origin: dict[str, str]
) -> SourceSplit:
    import datasets

    needed = [card.image, *card.labels]
    missing = [c for c in needed if c not in dataset.column_names]
    if missing:
        raise SourceError(
            f"{card.name}/{split}: the source has no column {missing[0]!r}; it has "
            f"{', '.join(dataset.column_names)}. See `image` and `labels` in the card "
            f"{card.name}.yaml."
        )
    labels: dict[str, np.ndarray] = {}
    names: dict[str, tuple[str, ...] | None] = {}
    for column in card.labels:
        feature = dataset.features[column]
        values = dataset.with_format("numpy", columns=[column])[:][column]
        values = np.asarray(values)
        if values.dtype.kind not in "iub" or values.ndim != 1:
            raise SourceError(
                f"{card.name}/{split}: label column {column!r} holds {feature}, not integers."
            )
        labels[column] = values.astype(np.int64)
        names[column] = tuple(feature.names) if isinstance(feature, datasets.ClassLabel) else None
    images = dataset.select_columns([card.image])
    feature = dataset.features[card.image]
    mode = feature.mode if isinstance(feature, datasets.Image) else None
    if isinstance(feature, datasets.Image):
        images = images.cast_column(card.image, datasets.Image(decode=False))

    def stored(position: int) -> bytes:
        cell: Any = images[position][card.image]
        if isinstance(cell, dict) and cell.get("bytes") is not None:
            return cell["bytes"]
        if isinstance(cell, dict) and cell.get("path"):
            return Path(cell["path"]).read_bytes()
        raise SourceError(
            f"{card.name}/{split}: column {card.image!r} holds no image at row {position} (found "
            f"{type(cell).__name__})."
        )

    def converted(position: int) -> bytes:
        buffer = io.BytesIO()
        decode(stored(position)).convert(mode).save(buffer, "TIFF")
        return buffer.getvalue()

    return SourceSplit(
        ids=np.arange(len(dataset), dtype=np.uint32),
        labels=labels,
        names=names,
        image=converted if mode else stored,
        origin=origin,
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
