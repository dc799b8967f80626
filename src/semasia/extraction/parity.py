"""How far a reduced precision is from float32, on a sample of rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from semasia.encoders import Encoder
from semasia.encoders.precision import Precision
from semasia.latents.nearness import nearness

SAMPLE_ROWS = 64
# Images per forward pass: the sample fits wherever any batch does.
_BATCH = 1


@dataclass(frozen=True)
class Parity:
    """Cosines and relative errors ‖a − b‖ / max(‖a‖, ‖b‖) of rows, b being float32's.

    Attributes
    ----------
    rows : int
    cosine_min, cosine_median : float
    error_median, error_max : float
    """

    rows: int
    cosine_min: float
    cosine_median: float
    error_median: float
    error_max: float


def parity_of(encoder: Encoder, rows: int, batch: Callable[[range], torch.Tensor]) -> Parity:
    """Compare an encoder's precision with float32 on rows spread evenly over a split.

    Parameters
    ----------
    encoder : Encoder
    rows : int
        Of the split.
    batch : callable
        Returns the host batch of a range of rows.
    """
    picked = np.unique(np.linspace(0, rows - 1, min(SAMPLE_ROWS, rows)).astype(int))
    stored: list[np.ndarray] = []
    exact: list[np.ndarray] = []
    own = encoder.precision
    for start in range(0, len(picked), _BATCH):
        images = torch.cat([batch(range(i, i + 1)) for i in picked[start : start + _BATCH]])
        stored.append(encoder.encode(images))
        try:
            encoder.precision = Precision("float32", encoder.device)
            exact.append(encoder.encode(images))
        finally:
            encoder.precision = own
    return compared(np.concatenate(stored), np.concatenate(exact))


def compared(found: np.ndarray, exact: np.ndarray) -> Parity:
    """Compare (n, d) vectors with (n, d) exact ones, row by row, in float64."""
    cosines, errors = nearness(found, exact)
    return Parity(
        rows=len(found),
        cosine_min=float(cosines.min()),
        cosine_median=float(np.median(cosines)),
        error_median=float(np.median(errors)),
        error_max=float(errors.max()),
    )
