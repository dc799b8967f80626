"""The precision that networks compute in. Stored vectors are float32 whatever it is."""

from __future__ import annotations

import contextlib
from typing import Any

import torch

from semasia.errors import EncoderError

PRECISIONS = ("float32", "tf32", "bfloat16", "float16")


class Precision:
    """How a network computes.

    - ``float32``: full, TF32 off everywhere;
    - ``tf32``: float32 with products rounded to 10 bits, on NVIDIA devices from Ampere on;
    - ``bfloat16``, ``float16``: torch's autocast: products in that type, sums of normalisations and
      the like in float32.

    Raises
    ------
    EncoderError
        If the device cannot compute so.
    """

    def __init__(self, name: str, device: torch.device) -> None:
        if name not in PRECISIONS:
            raise EncoderError(f"unknown precision {name!r}; there are {', '.join(PRECISIONS)}.")
        if name == "tf32" and device.type != "cuda":
            raise EncoderError(
                "`extract.precision: tf32` is a mode of NVIDIA devices, and this job runs on "
                f"{device.type}; use float32."
            )
        self.name = name
        self._device = device

    def applied(self) -> contextlib.AbstractContextManager[Any]:
        """Return the context to run a network in."""
        tf32 = self.name == "tf32"
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.allow_tf32 = tf32
        if self.name in ("bfloat16", "float16"):
            return torch.autocast(self._device.type, getattr(torch, self.name))
        return contextlib.nullcontext()
