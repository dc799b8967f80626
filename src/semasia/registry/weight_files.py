"""Which local files decide a model's weights."""

from __future__ import annotations

from pathlib import Path

from semasia.registry.cards import EncoderCard, FileWeights, FolderWeights


def weight_files(card: EncoderCard) -> list[Path]:
    """Return the local files that decide a model's weights and configuration, sorted."""
    weights = card.weights
    if isinstance(weights, FileWeights):
        return [Path(weights.path)]
    if isinstance(weights, FolderWeights):
        folder = Path(weights.path)
        return sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    return []
