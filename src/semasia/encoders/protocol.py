"""What everything that produces latents looks like."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from PIL import Image


@runtime_checkable
class Encoder(Protocol):
    """A frozen function from images to vectors.

    Attributes
    ----------
    name : str
        Stored in the column ``model_name``.
    width : int
        Length of each latent vector.
    """

    name: str
    width: int

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """Turn one image of any mode into a (3, H, W) float32 tensor, normalised."""
        ...

    def encode(self, batch: torch.Tensor) -> np.ndarray:
        """Map a (b, 3, H, W) float32 tensor to (b, width) float32 latents, row by row."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return everything that decides the values, for provenance: plain JSON types."""
        ...
