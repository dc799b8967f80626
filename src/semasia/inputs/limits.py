"""Pillow's limits against decompression bombs, raised for one image at a time.

The limits are variables of Pillow's modules, and a process's own. They are touched only for an
image that meets them, under a lock, and put back: large images are therefore decoded one at a time,
which bounds memory as well. What another thread decodes at that moment meets the raised limits.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, PngImagePlugin

# Bytes of one text or colour profile of a PNG, decompressed, and of all texts of one: no pixels.
_TEXT_CHUNK = 64 << 20
_TEXT_MEMORY = 256 << 20

_lock = threading.Lock()


@contextmanager
def raised_limits() -> Iterator[None]:
    """Let Pillow open images of any number of pixels, and PNG files with large metadata."""
    with _lock:
        before = (
            Image.MAX_IMAGE_PIXELS,
            PngImagePlugin.MAX_TEXT_CHUNK,
            PngImagePlugin.MAX_TEXT_MEMORY,
        )
        Image.MAX_IMAGE_PIXELS = None
        PngImagePlugin.MAX_TEXT_CHUNK = max(_TEXT_CHUNK, before[1])
        PngImagePlugin.MAX_TEXT_MEMORY = max(_TEXT_MEMORY, before[2])
        try:
            yield
        finally:
            (
                Image.MAX_IMAGE_PIXELS,
                PngImagePlugin.MAX_TEXT_CHUNK,
                PngImagePlugin.MAX_TEXT_MEMORY,
            ) = before


def met_a_limit(error: BaseException) -> bool:
    """Whether Pillow refused an image for its limits alone."""
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return True
    return isinstance(error, ValueError) and bool(re.search("MAX_TEXT_(CHUNK|MEMORY)", str(error)))
