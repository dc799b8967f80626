"""What a model's local weights hold, so that weights trained anew under one name are seen."""

from __future__ import annotations

from pathlib import Path

from semasia.content import content_digest, content_or_last
from semasia.registry.cards import EncoderCard, FileWeights, FolderWeights
from semasia.registry.weight_files import weight_files


def weights_content(card: EncoderCard, record: Path | None = None) -> str | None:
    """Return the SHA-256 over the local files that decide a model's weights and configuration.

    None where the card says itself what is loaded: timm's checkpoint, a seed, a file of one digest.

    Parameters
    ----------
    card : EncoderCard
    record : Path, optional
        As :func:`semasia.content.content_digest`.

    Raises
    ------
    OSError, WeightsError
        If a file is missing or cannot be read.
    SourceError
        If a file changes meanwhile.
    """
    if _local(card) is None:
        return None
    files = {path.name: path for path in weight_files(card)}
    return content_digest(files, record, what=f"the weights of {card.name}")


def planned_weights_content(card: EncoderCard, record: Path) -> str | None:
    """Return :func:`weights_content` for a plan, which never fails: see `content_or_last`."""
    root = _local(card)
    return root and content_or_last(lambda: weights_content(card, record), root, record)


def _local(card: EncoderCard) -> Path | None:
    """Return where weights lie whose content nothing in the card pins."""
    weights = card.weights
    if isinstance(weights, FolderWeights) or (
        isinstance(weights, FileWeights) and weights.sha256 is None
    ):
        return Path(weights.path)
    return None
