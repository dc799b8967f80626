"""What a benchmark's local files hold, so that images replaced under one name are seen."""

from __future__ import annotations

import json
import os
from pathlib import Path

from semasia.content import content_digest, content_or_last
from semasia.errors import SourceError, printable
from semasia.inputs.cards import InputsCard
from semasia.inputs.origins import HubSource, PackageSource
from semasia.inputs.sources.files import source_files
from semasia.inputs.sources.opening import numbering_names


def split_content(card: InputsCard, split: str, record: Path | None = None) -> str | None:
    """Return the SHA-256 over names and contents of the local files that a split is read from.

    Class names that another split states count too, as labels are numbered by them. None where the
    card says itself what is read: a commit of the Hub, a package's file of one digest.

    Parameters
    ----------
    card : InputsCard
    split : str
    record : Path, optional
        As :func:`semasia.content.content_digest`.

    Raises
    ------
    SourceError
        If a file is missing, cannot be read, or changes meanwhile.
    """
    source = card.source
    if isinstance(source, (HubSource, PackageSource)):
        return None
    root = Path(source.path)
    files = {Path(os.path.relpath(p, root)).as_posix(): p for p in source_files(card, split)}
    names = numbering_names(card, split)
    also = json.dumps(names, sort_keys=True) if any(names.values()) else ""
    try:
        return content_digest(files, record, also=also, what=f"{card.name}/{split}")
    except OSError as error:
        raise SourceError(
            f"{card.name}/{split}: {printable(error.filename or root)} cannot be read "
            f"({error.strerror})."
        ) from error


def planned_content(card: InputsCard, split: str, record: Path) -> str | None:
    """Return :func:`split_content` for a plan, which never fails: see `content_or_last`."""
    source = card.source
    if isinstance(source, (HubSource, PackageSource)):
        return None
    return content_or_last(lambda: split_content(card, split, record), Path(source.path), record)
