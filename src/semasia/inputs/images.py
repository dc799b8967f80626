"""Decode stored images the one way that every encoder sees them."""

from __future__ import annotations

import io
from typing import TypeAlias

import numpy as np
from PIL import ExifTags, Image, ImageOps

from semasia.errors import ImageError

# An image as a source stores it: an encoded file, or pixels as (h, w) or (h, w, 3) uint8.
Payload: TypeAlias = bytes | np.ndarray


def decode(payload: Payload) -> Image.Image:
    """Decode an image as `datasets` does: any Pillow format, turned upright by its EXIF tag.

    Parameters
    ----------
    payload : bytes or (h, w) or (h, w, 3) uint8 array

    Raises
    ------
    ImageError
        If Pillow cannot decode every pixel.
    """
    if isinstance(payload, np.ndarray):
        return Image.fromarray(payload)
    try:
        image = Image.open(io.BytesIO(payload))
        image.load()
        if image.getexif().get(ExifTags.Base.Orientation) is not None:
            image = ImageOps.exif_transpose(image)
    except Exception as error:  # Pillow raises whatever a broken file makes a codec raise
        raise ImageError(f"{type(error).__name__}: {error}") from error
    return image
