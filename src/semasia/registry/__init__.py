"""Models: cards, sets, and what is known of each."""

from semasia.registry.cards import (
    DataConfig,
    EncoderCard,
    FileWeights,
    FolderWeights,
    HubWeights,
    PackageWeights,
    RandomWeights,
)
from semasia.registry.sets import load_model_set
from semasia.registry.weight_files import weight_files

__all__ = [
    "DataConfig",
    "EncoderCard",
    "FileWeights",
    "FolderWeights",
    "HubWeights",
    "PackageWeights",
    "RandomWeights",
    "load_model_set",
    "weight_files",
]
