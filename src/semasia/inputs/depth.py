"""Pixels of more than 8 bits, which no network's preprocessing takes, scaled as a card says.

Converting such an image to RGB clips its values, or keeps the high byte of each: a picture in
12 bits of 16 becomes white, black or nearly black without a word.
"""

from __future__ import annotations

import re
import sys

import numpy as np
from PIL import Image

from semasia.errors import ImageError
from semasia.inputs.images import Decoded, Payload, decoded

# Pixels that are scaled at a time, in float64.
_STRIP = 1 << 22
_READ_WHOLE = ("RGB;16", "RGBA;16", "RGBX;16")
_OPPOSITE = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


def is_deep(found: Decoded) -> bool:
    """Whether an image's pixels have more than 8 bits, in its mode or in its file."""
    return found.image.mode.startswith(("I", "F")) or _is_deep_colour(found)


def scaled(
    payload: Payload, found: Decoded, image_range: tuple[float, float] | None
) -> Image.Image:
    """Return a deep image with 8 bits: ``image_range`` mapped linearly to 0 … 255 and rounded.

    Parameters
    ----------
    payload : bytes or array
        The image as stored.
    found : Decoded
        What :func:`~semasia.inputs.images.decoded` gives for it.
    image_range : (float, float) or None
        The value of black and the value of white. An alpha channel is left out.

    Returns
    -------
    Image
        Grey (``L``), or ``RGB`` of a file of 16-bit colour.

    Raises
    ------
    ImageError
        If no range is given, or a value lies outside it or is not finite.
    """
    colour = _is_deep_colour(found)
    if colour and found.layout[:-1] not in _READ_WHOLE and found.layout != "LA;16B":
        raise ImageError(
            f"its pixels have 16 bits in a layout that is not read whole ({found.layout}). Store "
            "it as 16-bit RGB or grey, or with 8 bits"
        )
    what = f"16-bit colour, {found.layout}" if colour else f"mode {found.image.mode}"
    if image_range is None:
        example = "[0, 65535]"
        if not colour:
            values = np.asarray(found.image)
            what += f", values {values.min():g} to {values.max():g}"
            example = "[0, 1]" if found.image.mode == "F" else example
        raise ImageError(
            f"its pixels have more than 8 bits ({what}) and do not survive a conversion to RGB. "
            "Say with `image_range` in the card which values are black and white, "
            f"`image_range: {example}` for example, or store the images with 8 bits"
        )
    values = _colour_values(payload, found) if colour else np.asarray(found.image)
    low, high = image_range
    if found.white_is_zero:
        low, high = high, low
    out = np.empty(values.shape, np.uint8)
    rows = max(_STRIP // max(values[0].size, 1), 1)
    for start in range(0, len(values), rows):
        strip = values[start : start + rows].astype(np.float64)
        if not np.isfinite(strip).all():
            raise ImageError("it has pixels that are not finite (NaN or infinite)")
        if strip.min() < min(image_range) or strip.max() > max(image_range):
            raise ImageError(
                f"it has values from {strip.min():g} to {strip.max():g}, outside `image_range: "
                f"[{image_range[0]:g}, {image_range[1]:g}]` of the card. Widen the range"
            )
        out[start : start + rows] = np.rint((strip - low) / (high - low) * 255)
    return Image.fromarray(out)


def _is_deep_colour(found: Decoded) -> bool:
    return bool(re.search(r";16[BLN]$", found.layout)) and not found.image.mode.startswith("I")


def _colour_values(payload: Payload, found: Decoded) -> np.ndarray:
    """Return (h, w, 3) or (h, w) uint16, of both bytes that Pillow keeps one of."""
    kind, order = found.layout[:-1], found.layout[-1]
    if kind == "LA;16":  # two bytes of grey, two of alpha
        four = np.asarray(decoded(payload, layout="RGBA").image).astype(np.uint16)
        return (four[..., 0] << 8) | four[..., 1]
    low = decoded(payload, layout=kind + _OPPOSITE[order]).image
    high_bytes, low_bytes = (np.asarray(i)[..., :3].astype(np.uint16) for i in (found.image, low))
    return (high_bytes << 8) | low_bytes
