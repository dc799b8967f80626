"""How timm brings an image to a network's input size: resized, then cropped or padded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from semasia.errors import ImageError

# timm's share of the resized image that is kept, where a configuration names none.
_CROP_PCT = 0.875


@dataclass(frozen=True)
class Framing:
    """One image's way to the input size.

    Attributes
    ----------
    resized : (int, int)
        Height and width to resize to.
    top, left : int
        Where the output's corner lies in the resized image; negative where it is padded.
    size : (int, int)
        Height and width of the output.
    fill : tuple of int
        Colour of padding, 0 to 255, one value per channel.
    """

    resized: tuple[int, int]
    top: int
    left: int
    size: tuple[int, int]
    fill: tuple[int, ...] = (0, 0, 0)

    @property
    def padded(self) -> bool:
        """Whether a part of the output lies outside the resized image."""
        outside = self.top < 0 or self.left < 0
        (h, w), (out_h, out_w) = self.resized, self.size
        return outside or self.top + out_h > h or self.left + out_w > w


def framing_of(config: Mapping[str, Any], height: int, width: int) -> Framing:
    """Return what timm's evaluation transform does to an image of a size.

    Parameters
    ----------
    config : mapping
        What ``timm.data.resolve_data_config`` returns: ``input_size``, ``crop_pct``, ``crop_mode``
        and ``mean`` are used.
    height, width : int
        Of the image.

    References
    ----------
    timm 1.0.31, ``timm/data/transforms_factory.py``, ``transforms_imagenet_eval``; torchvision
    0.28, ``transforms.Resize`` and ``CenterCrop``.
    """
    size = (int(config["input_size"][1]), int(config["input_size"][2]))
    share = config.get("crop_pct") or _CROP_PCT
    scaled = (math.floor(size[0] / share), math.floor(size[1] / share))
    mode = config.get("crop_mode")
    fill = (0,) * int(config["input_size"][0])
    if mode == "squash":
        resized = scaled
    elif mode == "border":
        resized = _in_proportion(height, width, max(height / scaled[0], width / scaled[1]))
        fill = tuple(round(255 * v) for v in config["mean"])
    elif scaled[0] == scaled[1]:
        resized = _shorter_side(height, width, scaled[0])
    else:
        resized = _in_proportion(height, width, min(height / scaled[0], width / scaled[1]))
    if min(resized) < 1:
        raise ImageError(
            f"an image of {width}×{height} pixels would be resized to {resized[1]}×{resized[0]}"
        )
    top, left = (_offset(resized[i], size[i]) for i in (0, 1))
    return Framing(resized, top, left, size, fill)


def _shorter_side(height: int, width: int, side: int) -> tuple[int, int]:
    longer = int(side * max(height, width) / min(height, width))
    return (side, longer) if height <= width else (longer, side)


def _in_proportion(height: int, width: int, ratio: float) -> tuple[int, int]:
    return round(height / ratio), round(width / ratio)


def _offset(length: int, wanted: int) -> int:
    if wanted > length:
        return -((wanted - length) // 2)
    return round((length - wanted) / 2.0)
