"""What a folder in timm's layout states of its checkpoint: ``config.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semasia.errors import WeightsError
from semasia.registry.cards import EncoderCard, FolderWeights


@dataclass(frozen=True)
class FolderConfig:
    """The parts of ``config.json`` that decide the network and its preprocessing.

    Attributes
    ----------
    pretrained_cfg : dict
        timm's configuration: input size, mean, std, crop, classes.
    model_args : dict
        Arguments of ``timm.create_model``.
    """

    pretrained_cfg: dict[str, Any] = field(default_factory=dict)
    model_args: dict[str, Any] = field(default_factory=dict)


def folder_config(card: EncoderCard) -> FolderConfig | None:
    """Return what the folder of a card's weights states; None without a folder or the file.

    Raises
    ------
    WeightsError
        If the file is damaged, or of another architecture than the card.
    """
    if not isinstance(card.weights, FolderWeights):
        return None
    path = Path(card.weights.path) / "config.json"
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        # timm wrote the configuration's keys at the top level until 2023.
        stated = dict(content.get("pretrained_cfg", content))
        arguments = dict(content.get("model_args") or {})
        for key in ("num_classes", "global_pool"):
            if content.get(key) is not None:
                arguments.setdefault(key, content[key])
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise WeightsError(f"{path}: is no configuration of a timm checkpoint: {error}") from error
    found, wanted = content.get("architecture"), card.architecture.split(".")[0]
    if found is not None and found != wanted:
        raise WeightsError(
            f"{path}: is of the architecture {found!r}, but the card of {card.name!r} says "
            f"{wanted!r}."
        )
    stated.pop("architecture", None)
    return FolderConfig(stated, arguments)
