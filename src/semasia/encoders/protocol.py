"""What everything that produces latents looks like."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from PIL import Image

from semasia.encoders.precision import Precision


@runtime_checkable
class Encoder(Protocol):
    """A frozen function from images to vectors, in steps that can be timed and overlapped.

    Attributes
    ----------
    name : str
        Stored in the column ``model_name``.
    width : int
        Length of each latent vector.
    device : torch.device
        Where the network runs.
    precision : Precision
        What it computes in.
    """

    name: str
    width: int
    device: torch.device
    precision: Precision

    def takes_pixels(self, shape: tuple[int, ...]) -> bool:
        """Whether :meth:`finish` is best given raw (h, w) or (h, w, 3) pixels of this shape."""
        ...

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """Do the host's part for one image of any mode; results of images can be stacked."""
        ...

    def finish(self, batch: torch.Tensor) -> torch.Tensor:
        """Turn a host batch, of raw pixels or of :meth:`preprocess`, into the network's input."""
        ...

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Map what :meth:`finish` gives to (b, width) float32 on the device, row by row."""
        ...

    def encode(self, batch: torch.Tensor) -> np.ndarray:
        """Return (b, width) float32 latents of a host batch: :meth:`finish`, then the network."""
        ...

    def repays_compiling(self) -> bool:
        """Whether ``inductor`` makes :meth:`forward` faster on a processor."""
        ...

    def compile(self, engine: str) -> None:
        """Let :meth:`forward` run by an engine: ``eager`` or ``inductor``."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return everything that decides the values, for provenance: plain JSON types."""
        ...
