"""Which images of a source are admitted, and the errors that name those that are not."""

from __future__ import annotations

import io
import logging
from collections import defaultdict
from typing import NamedTuple

from PIL import Image

from semasia.errors import ImageError, SourceError
from semasia.inputs.cards import InputsCard
from semasia.inputs.depth import is_deep, scaled
from semasia.inputs.images import Decoded, Payload, TooLargeError, decoded
from semasia.inputs.sources import SourceSplit

_logger = logging.getLogger(__name__)

# Larger images stay encoded. Up to here the pixels take less disk than decoding them anew for each
# of thousands of models takes time: CelebA's 178×218 are within, photographs of ImageNet are not.
_RAW_PIXELS = 224 * 224
# Arrow counts the bytes of a binary column with 32 bits.
_LARGEST_FILE = (1 << 31) - 1


_ALPHA = "transparency, which is left out: the colours beneath it are taken"
_FRAMES = "several frames or pages, of which the first is taken"


class Admitted(NamedTuple):
    """An image that every encoder can take, and the file to keep of it where it stays encoded."""

    image: Image.Image
    file: bytes | None

    def encoded(self) -> bytes:
        """Return the source's own file, or a PNG where the source has none that can be kept."""
        if self.file is not None:
            return self.file
        buffer = io.BytesIO()
        self.image.save(buffer, "PNG")
        return buffer.getvalue()


class Admission:
    """The images of a source, each decoded and checked before it is stored.

    Parameters
    ----------
    card : InputsCard
    split : str
    rows : SourceSplit
        The rows to prepare.
    """

    def __init__(self, card: InputsCard, split: str, rows: SourceSplit) -> None:
        self.name = f"{card.name}/{split}"
        self.rows = rows
        self._card = card
        # What images hold beside what is kept, by id: a split is decoded twice where it is not raw.
        self._told: dict[str, set[int]] = defaultdict(set)

    def image(self, position: int) -> Admitted:
        """Read and check one image; safe to call from several threads.

        Raises
        ------
        SourceError
            If it cannot be read; the message names its id and its place.
        ImageError
            If it cannot be decoded, or is none that an encoder takes unchanged.
        """
        payload = self._payload(position)
        try:
            found = decoded(payload, max_pixels=self._card.max_pixels)
        except TooLargeError as error:
            raise self._refused(position, f"cannot be used: {error}", self._see_card()) from error
        except ImageError as error:
            raise self._refused(position, f"cannot be decoded ({error})") from error
        if is_deep(found):
            try:
                image = scaled(payload, found, self._card.image_range)
            except ImageError as error:
                why = f"cannot be used: {error}"
                raise self._refused(position, why, self._see_card()) from error
            return Admitted(image, None)
        self._check(position, payload, found)
        return Admitted(found.image, payload if isinstance(payload, bytes) else None)

    def first_shape(self) -> tuple[int, ...] | None:
        """Return the shape of raw storage that fits the first image, or None."""
        try:
            return raw_shape(self.image(0).image)
        except SourceError:
            return None  # told with the others, once all have been looked at

    def named(self, position: int) -> str:
        """Return how lists call an image: its id, and its place in the source."""
        place = self._place(position)
        return f"id {self.rows.ids[position]}" + (f" ({place})" if place else "")

    def log(self) -> None:
        """Tell what the images hold that is not kept."""
        for what, positions in sorted(self._told.items()):
            _logger.info("%s: %s images have %s", self.name, f"{len(positions):,}", what)

    def _place(self, position: int) -> str | None:
        return self.rows.where(position) if self.rows.where else None

    def _payload(self, position: int) -> Payload:
        try:
            return self.rows.image(position)
        except (OSError, MemoryError) as error:
            why = f"cannot be read from the source: {str(error) or type(error).__name__}"
            raise SourceError(self._message(position, why)) from error
        except ImageError as error:
            raise self._refused(position, f"cannot be decoded ({error})") from error

    def _check(self, position: int, payload: Payload, found: Decoded) -> None:
        image = found.image
        if image.mode not in ("L", "RGB"):
            try:
                Image.new(image.mode, (1, 1)).convert("RGB")
            except ValueError as error:
                raise self._refused(position, f"cannot be used: {error}") from error
        if has_alpha(image):
            self._told[_ALPHA].add(position)
        if isinstance(payload, bytes) and has_more_frames(payload):
            self._told[_FRAMES].add(position)
        if isinstance(payload, bytes) and len(payload) > _LARGEST_FILE:
            raise self._refused(
                position,
                f"cannot be used: its file has {len(payload):,} bytes, and {_LARGEST_FILE:,} are "
                "the most that a prepared split holds of one image",
            )

    def _see_card(self) -> str:
        return f" The card is {self._card.name}.yaml."

    def _refused(
        self,
        position: int,
        why: str,
        advice: str = " Replace the file in the source, or fetch the source again.",
    ) -> ImageError:
        return ImageError(self._message(position, why) + advice)

    def _message(self, position: int, why: str) -> str:
        place = self._place(position)
        message = f"{self.name}: image with id {self.rows.ids[position]} {why.rstrip('.')}."
        return f"{message} It is {place}." if place else message


def has_alpha(image: Image.Image) -> bool:
    """Whether an image says which of its pixels are transparent."""
    return image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info


def has_more_frames(payload: bytes) -> bool:
    """Whether a GIF, PNG, TIFF or WebP file has more than one image: an animation, or pages."""
    animated_png = payload[:4] == b"\x89PNG" and b"acTL" in payload[:4096]
    if not (animated_png or payload[:4] in (b"GIF8", b"II*\0", b"MM\0*", b"RIFF")):
        return False
    try:
        with Image.open(io.BytesIO(payload)) as image:
            return bool(getattr(image, "is_animated", False))
    except Exception:  # Pillow's limits: the image was decoded before
        return False


def raw_shape(image: Image.Image) -> tuple[int, ...] | None:
    """Return the array shape of an image that fits the raw layout, else None."""
    if image.mode not in ("L", "RGB") or image.width * image.height > _RAW_PIXELS:
        return None
    return (image.height, image.width) if image.mode == "L" else (image.height, image.width, 3)
