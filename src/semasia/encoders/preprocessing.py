"""Preprocessing: timm's own transform image by image, or the same pixels by batches on a device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import embedding, pad

from semasia.compat import import_timm
from semasia.encoders.framing import Framing, framing_of
from semasia.encoders.resampling import PRECISION, resampling_matrix, rows_first
from semasia.encoders.window import framed, is_extreme
from semasia.errors import EncoderError, ImageError

# Multiplications per image up to which products beat Pillow's loops on a processor: measured.
_PROCESSOR_WORK = 7_000_000
# Weights of one pass: an image of extreme proportions is resized far beyond what is kept of it.
_LARGEST_MATRIX = 1 << 23
# Images resized at a time on a processor: their float64 pixels stay in its cache.
_PROCESSOR_IMAGES = 2


class Preprocessing(Protocol):
    """Turns images into a network's input, in two steps: on the host, then on the device."""

    backend: str
    mode: str

    def takes_pixels(self, shape: tuple[int, ...], device: torch.device) -> bool:
        """Whether raw (h, w) or (h, w, 3) pixels of this shape go to :meth:`finish` as they are."""
        ...

    def load(self, image: Image.Image) -> torch.Tensor:
        """Turn one image into a tensor that batches can be stacked of, on the host."""
        ...

    def finish(self, batch: torch.Tensor) -> torch.Tensor:
        """Turn a batch, already on the device, into (b, c, H, W) float32."""
        ...


def image_mode(config: Mapping[str, Any]) -> str:
    """Return the mode that timm's own scripts convert images to: grey for one channel, else RGB.

    Raises
    ------
    EncoderError
        If a network takes neither 1 nor 3 channels, or ``mean`` or ``std`` are of neither one nor
        all of them.

    References
    ----------
    timm 1.0.31, ``train.py``: ``input_img_mode``.
    """
    channels = config["input_size"][0]
    if channels not in (1, 3):
        raise EncoderError(
            f"the network takes images of {channels} channels; 1 (grey) or 3 (RGB) are needed"
        )
    for key in ("mean", "std"):
        if len(config[key]) not in (1, channels):
            raise EncoderError(
                f"`{key}` has {len(config[key])} values, and the network takes images of "
                f"{channels} channel{'s' if channels > 1 else ''}"
            )
    return "L" if channels == 1 else "RGB"


def _spread(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration with one mean and one deviation per channel, as timm's loaders."""
    channels = config["input_size"][0]
    each = {k: tuple(config[k]) * (channels // len(config[k])) for k in ("mean", "std")}
    return {**config, **each}


class ReferencePreprocessing:
    """timm's evaluation transform, unchanged, on the image converted to RGB (Semasia, 2.4)."""

    backend = "reference"

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.mode = image_mode(config)
        self._config = _spread(config)
        self._transform: Any = import_timm().data.create_transform(
            **self._config, is_training=False
        )

    def takes_pixels(self, shape: tuple[int, ...], device: torch.device) -> bool:
        """Return False: the transform is of single images."""
        return False

    def load(self, image: Image.Image) -> torch.Tensor:
        """Return (c, H, W) float32, normalised."""
        image = image.convert(self.mode)
        framing = framing_of(self._config, image.height, image.width)
        if not is_extreme(image, framing):
            return self._transform(image)
        # The same pixels without the whole resized image, then the transform's last two steps.
        tensor: Any = framed(image, framing, self._config["interpolation"])
        for step in self._transform.transforms[-2:]:
            tensor = step(tensor)
        return tensor

    def finish(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the batch: nothing is left to do."""
        return batch


class DevicePreprocessing:
    """The pixels of timm's transform, bit for bit, resized and normalised as whole batches.

    Raw pixels of one size are resized where the network runs, by Pillow's own weights
    (:func:`~semasia.encoders.resampling.resampling_matrix`); grey images as one channel. Encoded
    images, which differ in size, are decoded, resized and cropped by Pillow in threads and travel
    as 8-bit pixels.
    """

    backend = "device"

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.mode = image_mode(config)
        self._config = _spread(config)
        self._mean = torch.tensor(self._config["mean"], dtype=torch.float32).view(-1, 1, 1)
        self._std = torch.tensor(self._config["std"], dtype=torch.float32).view(-1, 1, 1)
        self._tables: dict[torch.device, tuple[torch.Tensor, torch.Tensor]] = {}
        self._passes: dict[tuple[int, int, torch.device], tuple[Framing, tuple[_Pass, _Pass]]] = {}

    def takes_pixels(self, shape: tuple[int, ...], device: torch.device) -> bool:
        """Return True where batched products are faster than Pillow: always, off the processor."""
        height, width, channels = (*shape, 1)[:3]
        if channels == 3 and self.mode == "L":
            return False
        _, rows, columns = self._config["input_size"]
        work = channels * columns * height * (width + rows)
        try:
            resized = framing_of(self._config, height, width).resized
        except ImageError:  # told with the image's id, once it is loaded
            return False
        if max(resized[0] * height, resized[1] * width) > _LARGEST_MATRIX:
            return False
        return device.type != "cpu" or work <= _PROCESSOR_WORK

    def load(self, image: Image.Image) -> torch.Tensor:
        """Return (3, H, W) uint8, resized and cropped."""
        framing = framing_of(self._config, image.height, image.width)
        image = framed(image.convert(self.mode), framing, self._config["interpolation"])
        pixels = torch.from_numpy(np.array(image))
        return pixels.permute(2, 0, 1) if pixels.ndim == 3 else pixels.unsqueeze(0)

    def finish(self, batch: torch.Tensor) -> torch.Tensor:
        """Return (b, c, H, W) float32 of uint8 pixels.

        Parameters
        ----------
        batch : (b, c, H, W) or (b, h, w) or (b, h, w, 3) uint8 tensor
            What :meth:`load` gives, stacked; or raw grey or RGB pixels of one size, as
            :meth:`semasia.inputs.PreparedSplit.pixels` gives them.
        """
        size = tuple(self._config["input_size"])
        step = _PROCESSOR_IMAGES if batch.device.type == "cpu" else len(batch)
        if step >= len(batch):
            return self._finished(batch, size)
        out = torch.empty((len(batch), *size), memory_format=torch.channels_last)
        for start in range(0, len(batch), step):
            out[start : start + step] = self._finished(batch[start : start + step], size)
        return out

    def _finished(self, batch: torch.Tensor, size: tuple[int, ...]) -> torch.Tensor:
        pixels = batch if tuple(batch.shape[1:]) == size else self._framed(batch)
        return self._normalised(pixels) if pixels.device.type == "cpu" else self._looked_up(pixels)

    def _normalised(self, pixels: torch.Tensor) -> torch.Tensor:
        # The order of operations of ToTensor and Normalize, so that the last bit is theirs.
        floats = pixels.to(torch.float32).div_(255)
        if floats.shape[1] == 1:
            return floats.sub(self._mean).div_(self._std)
        return floats.sub_(self._mean).div_(self._std)

    def _looked_up(self, pixels: torch.Tensor) -> torch.Tensor:
        """Normalise by the processor's own results for each of the 256 values of each channel.

        An accelerator divides to another last bit, and is limited by how often it reads and writes.
        """
        device, channels = pixels.device, len(self._mean)
        if device not in self._tables:
            values = torch.arange(256, dtype=torch.uint8).view(1, 1, -1)
            first = 256 * torch.arange(channels, dtype=torch.int32).view(-1, 1, 1)
            table = self._normalised(values.expand(channels, 1, -1))
            self._tables[device] = table.reshape(-1, 1).to(device), first.to(device)
        table, first = self._tables[device]
        b, _, h, w = pixels.shape
        places = torch.empty(
            (b, channels, h, w), dtype=torch.int32, device=device, memory_format=torch.channels_last
        )
        torch.add(pixels, first, out=places)
        return embedding(places.permute(0, 2, 3, 1), table).squeeze(-1).permute(0, 3, 1, 2)

    def _framed(self, batch: torch.Tensor) -> torch.Tensor:
        """Return (b, c, H, W) whole numbers from raw pixels; c is 1 for grey."""
        channels_first = batch.unsqueeze(1) if batch.ndim == 3 else batch.permute(0, 3, 1, 2)
        _, _, height, width = channels_first.shape
        key = (height, width, batch.device)
        if key not in self._passes:
            self._passes[key] = self._planned(height, width, batch.device)
        framing, passes = self._passes[key]
        first, last = passes
        values = last(first(channels_first.to(torch.float64)).to(torch.float64))
        if framing.padded and any(framing.fill):
            values = values.expand(-1, len(framing.fill), -1, -1).clone()
            fill = torch.tensor(framing.fill, dtype=values.dtype, device=values.device)
            (rows, columns), (h, w) = framing.size, framing.resized
            y = torch.arange(rows, device=values.device) + framing.top
            x = torch.arange(columns, device=values.device) + framing.left
            inside = ((y >= 0) & (y < h))[:, None] & ((x >= 0) & (x < w))[None, :]
            values = torch.where(inside, values, fill.view(-1, 1, 1))
        return values

    def _planned(
        self, height: int, width: int, device: torch.device
    ) -> tuple[Framing, tuple[_Pass, _Pass]]:
        framing = framing_of(self._config, height, width)
        interpolation = self._config["interpolation"]
        down, across = (
            _Pass(axis, side, resized, offset, wanted, interpolation, device)
            for axis, side, resized, offset, wanted in zip(
                (-2, -1),
                (height, width),
                framing.resized,
                (framing.top, framing.left),
                framing.size,
                strict=True,
            )
        )
        first = rows_first((height, width), framing.resized, interpolation)
        return framing, (across, down) if first else (down, across)


class _Pass:
    """One pass of Pillow's resize, and the crop or padding with zeros along it."""

    def __init__(
        self,
        axis: int,
        side: int,
        resized: int,
        offset: int,
        wanted: int,
        interpolation: str,
        device: torch.device,
    ) -> None:
        # The last weight is of a pixel that is always one: half, for rounding.
        weights = np.zeros((wanted, side + 1))
        first, last = max(offset, 0), min(offset + wanted, resized)
        matrix = resampling_matrix(side, resized, interpolation)[first:last]
        # A power of two: the division is exact.
        weights[first - offset : last - offset, :-1] = matrix / (1 << PRECISION)
        weights[:, -1] = 0.5
        self._weights = torch.from_numpy(weights).to(device)
        self._across = axis == -1

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """Resize whole numbers in float64 along the axis, rounded and clipped: int16.

        Halves are rounded up, as Pillow's added half and shift do. Conversion cuts towards zero,
        which is down for all that is not clipped to zero.
        """
        if self._across:
            result = pad(values, (0, 1), value=1.0) @ self._weights.T
        else:
            result = self._weights @ pad(values, (0, 0, 0, 1), value=1.0)
        return result.to(torch.int16).clamp_(0, 255)
