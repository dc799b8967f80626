"""Decode stored images the one way that every encoder sees them."""

from __future__ import annotations

import io
import re
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from semasia.errors import ImageError, first_line
from semasia.inputs.limits import met_a_limit, raised_limits

# An image as a source stores it: an encoded file, or pixels as (h, w) or (h, w, 3) uint8.
Payload: TypeAlias = bytes | np.ndarray

_PHOTOMETRIC = 262  # the TIFF tag PhotometricInterpretation


class TooLargeError(ImageError):
    """An image has more pixels than its benchmark's card admits."""


class Decoded(NamedTuple):
    """A decoded image and what is known of its file.

    Attributes
    ----------
    image : Image
    layout : str
        How the file lays out pixels, as Pillow names it: ``RGB;16B``, say.
    white_is_zero : bool
        Whether a TIFF file says that small values are white.
    """

    image: Image.Image
    layout: str
    white_is_zero: bool = False


def decode(payload: Payload) -> Image.Image:
    """Decode an image as `datasets` does: any Pillow format, turned upright by its EXIF tag.

    Parameters
    ----------
    payload : bytes or (h, w) or (h, w, 3) uint8 array

    Returns
    -------
    Image
        In the mode of the file: the first frame or page, with whatever alpha it has.

    Raises
    ------
    ImageError
        If Pillow cannot decode every pixel.
    """
    return decoded(payload).image


def decoded(
    payload: Payload, *, max_pixels: int | None = None, layout: str | None = None
) -> Decoded:
    """Decode an image as :func:`decode` does, and say how its file lays out pixels.

    Parameters
    ----------
    payload : bytes or array
    max_pixels : int, optional
        The most pixels of an image that is decoded; none where an image was admitted before.
    layout : str, optional
        Read the file's bytes as this layout of Pillow's instead of its own.

    Raises
    ------
    ImageError
        If Pillow cannot decode every pixel.
    TooLargeError
        If there are more than ``max_pixels``.
    """
    try:
        if isinstance(payload, np.ndarray):
            image = Image.fromarray(payload)
            _check_size(image, max_pixels)
            return Decoded(image, image.mode)
        try:
            return _read(payload, max_pixels, layout)
        except Exception as error:
            if not met_a_limit(error):
                raise
        with raised_limits():
            return _read(payload, max_pixels, layout)
    except ImageError:
        raise
    except Exception as error:  # Pillow raises whatever a broken file makes a codec raise
        raise ImageError(_reason(error, payload)) from error


def _read(payload: bytes, max_pixels: int | None, layout: str | None) -> Decoded:
    image: Any = Image.open(io.BytesIO(payload))
    _check_size(image, max_pixels)
    own = _layout(image)
    white_is_zero = getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0
    if layout is not None:
        image.tile = [tile._replace(args=_with_layout(tile.args, layout)) for tile in image.tile]
    image.load()
    if image.getexif().get(ExifTags.Base.Orientation) is not None:
        image = ImageOps.exif_transpose(image)
    return Decoded(image, own, white_is_zero)


def _check_size(image: Image.Image, max_pixels: int | None) -> None:
    pixels = image.width * image.height
    if max_pixels is not None and pixels > max_pixels:
        raise TooLargeError(
            f"it has {image.width}×{image.height} = {pixels:,} pixels, and `max_pixels` of the "
            f"card admits {max_pixels:,}. Raise that if the image is sound"
        )


def _layout(image: Any) -> str:
    for tile in getattr(image, "tile", None) or ():
        args = tile.args if isinstance(tile.args, tuple) else (tile.args,)
        if args and isinstance(args[0], str):
            return args[0]
    return image.mode


def _with_layout(args: Any, layout: str) -> Any:
    return (layout, *args[1:]) if isinstance(args, tuple) else layout


def _reason(error: Exception, payload: Payload) -> str:
    """Say why an image cannot be decoded, without an address in memory."""
    if isinstance(payload, bytes) and isinstance(error, UnidentifiedImageError):
        if not payload:
            return "the file is empty"
        return f"no image format that Pillow knows: {len(payload):,} bytes from {payload[:8]!r} on"
    if isinstance(error, MemoryError):
        return "this machine's memory does not suffice for it"
    text = re.sub(r"<[^<>]* at 0x[0-9a-fA-F]+>", "the file", first_line(error))
    return f"{type(error).__name__}: {text}"
