"""What a folder in timm's layout states of its checkpoint: ``config.json``."""

from __future__ import annotations

import dataclasses
import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semasia.errors import WeightsError
from semasia.registry.cards import EncoderCard, FolderWeights

# Known numbers of the preprocessing, and how many there may be.
# A mean and a deviation per channel, which the preprocessing counts: grey images have one.
_NUMBERS = {"input_size": (3,), "test_input_size": (3,), "mean": (1, 3), "std": (1, 3)}
# Keys of a flat file that belong beside the configuration.
_BESIDE = {"num_features", "labels", "global_pool", "model_args", "pretrained_cfg"}

_logger = logging.getLogger(__name__)


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
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        # timm wrote the configuration's keys at the top level until 2023.
        nested = content.get("pretrained_cfg")
        stated = dict(content if nested is None else nested)
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
    return FolderConfig(_known(stated, path), arguments)


def _known(stated: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return the keys that the installed timm knows, tuples where it keeps tuples."""
    from semasia.compat import import_timm

    fields = {f.name for f in dataclasses.fields(import_timm().models.PretrainedCfg)}
    known = {k: v for k, v in stated.items() if k in fields and k != "architecture"}
    if ignored := sorted(stated.keys() - fields - _BESIDE):
        _logger.info("%s: keys that this timm does not know are ignored: %s", path, ignored)
    for key, lengths in _NUMBERS.items():
        value = known.get(key)
        right = isinstance(value, list | tuple) and len(value) in lengths
        if value is not None and not (right and all(type(v) in (int, float) for v in value)):
            raise WeightsError(
                f"{path}: `{key}` must be {lengths[-1]} numbers, but is {json.dumps(value)[:100]}."
            )
    return known
