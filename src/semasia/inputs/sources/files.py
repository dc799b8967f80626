"""Which local files a split is read from."""

from __future__ import annotations

from pathlib import Path

from semasia.errors import SourceError, printable
from semasia.inputs.cards import InputsCard
from semasia.inputs.origins import FolderSource, HubSource, IdxSource, PackageSource, ParquetSource
from semasia.inputs.sources.arrays import idx_files, package_file
from semasia.inputs.sources.folder import list_images
from semasia.inputs.sources.parquet import parquet_files
from semasia.inputs.sources.tables import saved_folder


def source_files(card: InputsCard, split: str) -> list[Path]:
    """Return the local files that a split is read from, sorted; none for a source on the Hub.

    Raises
    ------
    SourceError
        If the source is not there, as opening it would say.
    """
    source = card.source
    if isinstance(source, HubSource):
        return []
    if isinstance(source, PackageSource):
        return [package_file(source.package, source.distribution, source.file)]
    if isinstance(source, IdxSource):
        files = idx_files(card, source, split)
    elif isinstance(source, FolderSource):
        files = list_images(card, source, split).paths
    elif isinstance(source, ParquetSource):
        files = parquet_files(card, source, split)
    else:
        folder = saved_folder(card, source, split)
        files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    absent = [f for f in files if not f.exists()]
    if absent:
        raise SourceError(f"{card.name}/{split}: there is no file {printable(absent[0])}.")
    return files
