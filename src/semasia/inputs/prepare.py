"""Prepare a split once for all models: chosen rows, checked images, one memory-mappable file.

The file is Arrow IPC with columns ``id`` (uint32), one int64 column per label, and ``image``:

- *raw*: every image is small, of one size and grey or RGB: pixels as fixed-size binary;
- *encoded*: anything else: the source's own bytes, decoded anew by each job.

Beside it stands a JSON file of facts (:class:`SplitFacts`), written last.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from semasia.errors import SourceError
from semasia.files import whole_file
from semasia.inputs.admission import Admission
from semasia.inputs.cards import InputsCard
from semasia.inputs.content import split_content
from semasia.inputs.selection import select_rows
from semasia.inputs.sources import SourceSplit, open_split
from semasia.inputs.writing import NotRawError, write_split
from semasia.recipes import SELECTION


@dataclass(frozen=True)
class SplitFacts:
    """What is known of a prepared split, as stored in its JSON file.

    Attributes
    ----------
    rows, source_rows : int
        Rows prepared, and rows of the whole split.
    fingerprint : str
        SHA-256 over the images' shape, then ids, labels and stored images, row by row.
    image_shape : list of int or None
        (h, w) or (h, w, 3) for raw images; None for encoded ones.
    label_names : dict
        Class names per label column, or None.
    origin : dict
        Repository and commit, or file digests.
    selection : dict or None
        How a capped split was chosen.
    """

    benchmark: str
    split: str
    rows: int
    source_rows: int
    fingerprint: str
    image_shape: list[int] | None
    label_names: dict[str, list[str] | None]
    source_kind: str
    origin: dict[str, str]
    selection: dict[str, Any] | None

    @classmethod
    def read(cls, path: Path) -> SplitFacts:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{f.name: content[f.name] for f in fields(cls)})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SourceError(f"{path}: is no description of a prepared split: {error}") from error


def prepare_split(
    card: InputsCard,
    split: str,
    *,
    cap: int | None,
    strata: str | None = None,
    revision: str | None,
    data: Path,
    facts: Path,
    threads: int = 1,
    record: Path | None = None,
    progress: Callable[[int, int, int], None] | None = None,
) -> SplitFacts:
    """Read, check and store one split.

    Parameters
    ----------
    card : InputsCard
    split : str
    cap : int or None
        Keep this many rows, chosen by :func:`semasia.inputs.selection.select_rows`.
    strata : str or None
        Label column that a capped choice is stratified by.
    revision : str or None
        Commit of a Hub source.
    data, facts : Path
        The Arrow file and the JSON file to write.
    threads : int
        Images decoded at a time.
    record : Path, optional
        Where the digest of local files is kept, see :func:`semasia.content.content_digest`.
    progress : callable, optional
        Told (rows done, rows in all, rows just done).

    Raises
    ------
    SourceError
        If the source differs from the card.
    ImageError
        If an image cannot be decoded, has more pixels than the card admits, or pixels of more than
        8 bits and the card no ``image_range``; the message names its id and its file.
    StorageError
        If a file cannot be written.
    """
    content = split_content(card, split, record)
    whole = open_split(card, split, revision)
    chosen, how = _choose(whole, cap, strata)
    admission = Admission(card, split, chosen)
    with whole_file(data) as temporary:
        shape = admission.first_shape()
        try:
            fingerprint = write_split(temporary, admission, shape, threads, progress)
        except NotRawError:
            shape = None
            fingerprint = write_split(temporary, admission, shape, threads, progress)
    admission.log()
    if split_content(card, split, record) != content:
        raise SourceError(f"{card.name}/{split}: the source changed while it was read; run again.")
    origin = dict(chosen.origin)
    # Sources of few files name the digest of each.
    if content and not any(name.endswith("_sha256") for name in origin):
        origin["content_sha256"] = content
    if card.image_range is not None:
        origin["image_range"] = json.dumps(card.image_range)
    result = SplitFacts(
        benchmark=card.name,
        split=split,
        rows=chosen.rows,
        source_rows=whole.rows,
        fingerprint=fingerprint,
        image_shape=list(shape) if shape else None,
        label_names={c: list(n) if n else None for c, n in chosen.names.items()},
        source_kind=card.source.kind,
        origin=origin,
        selection=how,
    )
    with whole_file(facts) as temporary:
        text = json.dumps(asdict(result), indent=1, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return result


def _choose(
    whole: SourceSplit, cap: int | None, strata: str | None
) -> tuple[SourceSplit, dict[str, Any] | None]:
    if cap is None or cap >= whole.rows:
        return whole, None
    labels = whole.labels[strata] if strata else None
    positions = select_rows(whole.ids, labels, cap)
    how = {"rule": "hash-ranked", "recipe": SELECTION, "stratified_by": strata}
    return whole.take(positions), how
