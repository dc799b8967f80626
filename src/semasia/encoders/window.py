"""One image resized and cropped or padded, of which only what is kept is computed where it pays."""

from __future__ import annotations

import numpy as np
from PIL import Image

from semasia.encoders.framing import Framing
from semasia.encoders.resampling import PRECISION, resampling_window, rows_first_by_rule

# Pixels of a resized image from which only the part that is kept is computed. An image of
# 1×30,000 pixels would be resized to 256×7,680,000 before its middle is cut out.
_LARGEST_RESIZED = 1 << 24


def is_extreme(image: Image.Image, framing: Framing) -> bool:
    """Whether an image would be resized far beyond what is kept of it."""
    height, width = framing.resized
    resizes = (image.height, image.width) != framing.resized
    return resizes and height * width > _LARGEST_RESIZED


def framed(image: Image.Image, framing: Framing, interpolation: str) -> Image.Image:
    """Return the part of a resized image that a framing keeps, padded where it lies outside.

    Parameters
    ----------
    image : Image
        Of mode ``L`` or ``RGB``.
    framing : Framing
    interpolation : str
        As in :func:`~semasia.encoders.resampling.resampling_matrix`.

    Returns
    -------
    Image
        Of ``framing.size``, in the same mode: Pillow's pixels of resizing and cropping.
    """
    top, left = framing.top, framing.left
    if is_extreme(image, framing):
        image = _window(image, framing, interpolation)
        top, left = min(top, 0), min(left, 0)
    elif (image.height, image.width) != framing.resized:
        height, width = framing.resized
        image = image.resize((width, height), Image.Resampling[interpolation.upper()])
    rows, columns = framing.size
    if not framing.padded:
        return image.crop((left, top, left + columns, top + rows))
    fill = framing.fill if image.mode == "RGB" else framing.fill[0]
    canvas = Image.new(image.mode, (columns, rows), fill)
    canvas.paste(image, (-left, -top))
    return canvas


def _window(image: Image.Image, framing: Framing, interpolation: str) -> Image.Image:
    """Compute the part of the resized image that lies inside the framing."""
    (height, width), (rows, columns) = framing.resized, framing.size
    y, down = resampling_window(
        image.height,
        height,
        interpolation,
        max(framing.top, 0),
        min(framing.top + rows, height),
    )
    x, across = resampling_window(
        image.width,
        width,
        interpolation,
        max(framing.left, 0),
        min(framing.left + columns, width),
    )
    needed = image.crop((x, y, x + across.shape[1], y + down.shape[1]))
    # (channels, rows, columns), whole numbers: every sum is exact in float64.
    values = np.atleast_3d(np.asarray(needed, np.float64)).transpose(2, 0, 1)
    if rows_first_by_rule((image.height, image.width), framing.resized):
        values = _rounded(down @ _rounded(values @ across.T))
    else:
        values = _rounded(_rounded(down @ values) @ across.T)
    pixels = values.astype(np.uint8).transpose(1, 2, 0)
    return Image.fromarray(pixels[..., 0] if image.mode == "L" else pixels)


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.clip(np.floor(values / (1 << PRECISION) + 0.5), 0, 255)
