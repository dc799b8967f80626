"""Pillow's resampling as matrices, so that whole batches can be resized on any device.

Pillow resizes 8-bit images in two passes, one along rows, one along columns. Each pass is a
weighted sum with 22-bit fixed-point weights, rounded to 8 bits. A pass is therefore a product with
a matrix of whole numbers; in float64 every term and every sum of it is exact, and so the result is
Pillow's to the last bit. Which pass comes first matters for the rounding, and is Pillow's choice:
it is found by trial, which also proves that the Pillow installed computes what is computed here.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import PIL
from PIL import Image

from semasia.errors import EncoderError

# Images tried at most until one tells which pass comes first. Where none does it hardly matters.
_TRIALS = 64
# Bits after the point of Pillow's weights for 8-bit images.
PRECISION = 22


def resampling_matrix(size_in: int, size_out: int, interpolation: str) -> np.ndarray:
    """Return the weights of one pass of Pillow's ``resize``, in units of 2⁻²².

    Parameters
    ----------
    size_in, size_out : int
        Length in pixels before and after.
    interpolation : str
        ``bilinear``, ``bicubic``, ``lanczos``, ``hamming``, ``box`` or ``nearest``.

    Returns
    -------
    (size_out, size_in) int64 array
        Row i holds the weights of output pixel i. The identity if the length does not change.

    References
    ----------
    Pillow, src/libImaging/Resample.c: ``precompute_coeffs``, ``normalize_coeffs_8bpc``.
    """
    one = 1 << PRECISION
    if size_in == size_out:
        return np.eye(size_in, dtype=np.int64) * one
    scale = size_in / size_out
    weights = np.zeros((size_out, size_in), np.int64)
    if interpolation == "nearest":
        # Pillow takes nearest neighbours by an affine map, whose steps it adds up.
        steps = np.cumsum([scale * 0.5, *[scale] * (size_out - 1)])
        source = np.minimum(steps.astype(int), size_in - 1)
        weights[np.arange(size_out), source] = one
        return weights
    kernel, radius = _KERNELS[interpolation]
    stretch = max(scale, 1.0)
    support = radius * stretch
    for i in range(size_out):
        centre = (i + 0.5) * scale
        first = max(int(centre - support + 0.5), 0)
        last = min(int(centre + support + 0.5), size_in)
        taps = [kernel((x - centre + 0.5) * (1.0 / stretch)) for x in range(first, last)]
        total = 0.0
        for tap in taps:
            total += tap
        for x, tap in enumerate(taps, first):
            share = tap / total if total else tap
            weights[i, x] = int(share * one + (0.5 if share >= 0 else -0.5))
    return weights


def rows_first(size: tuple[int, int], resized: tuple[int, int], interpolation: str) -> bool:
    """Return whether Pillow resizes along rows before columns, from (h, w) to (h, w).

    Raises
    ------
    EncoderError
        If the Pillow installed gives other pixels than either order does.
    """
    rng = np.random.default_rng(0)
    filter_ = Image.Resampling[interpolation.upper()]
    down, across = (
        resampling_matrix(size[i], resized[i], interpolation).astype(np.float64) for i in (0, 1)
    )
    possible = {True, False}
    for _ in range(_TRIALS):
        # Extreme values too: the orders differ where rounding and clipping do.
        pixels = (
            rng.integers(0, 256, size) if rng.random() < 0.5 else 255 * rng.integers(0, 2, size)
        )
        image = Image.fromarray(pixels.astype(np.uint8))
        expected = np.asarray(image.resize((resized[1], resized[0]), filter_))
        orders = {
            True: _rounded(down @ _rounded(pixels @ across.T)),
            False: _rounded(_rounded(down @ pixels) @ across.T),
        }
        possible = {first for first in possible if np.array_equal(orders[first], expected)}
        if len(possible) < 2:
            break
    if possible:
        return True in possible
    raise EncoderError(
        f"this Pillow ({PIL.__version__}) resizes {size[1]}×{size[0]} to {resized[1]}×{resized[0]} "
        f"pixels ({interpolation}) in another way than the one known here. Set "
        "`extract.preprocess: reference`, or install the version that pyproject.toml names."
    )


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.clip(np.floor(values / (1 << PRECISION) + 0.5), 0, 255)


_HAMMING = float(np.float32(0.54)), float(np.float32(0.46))


def _box(x: float) -> float:
    return 1.0 if -0.5 < x <= 0.5 else 0.0


def _bilinear(x: float) -> float:
    return max(1.0 - abs(x), 0.0)


def _hamming(x: float) -> float:
    x = abs(x)
    if x == 0.0:
        return 1.0
    if x >= 1.0:
        return 0.0
    x *= math.pi
    # Pillow's two constants are single precision.
    return math.sin(x) / x * (_HAMMING[0] + _HAMMING[1] * math.cos(x))


def _bicubic(x: float) -> float:
    a = -0.5
    x = abs(x)
    if x < 1.0:
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1
    if x < 2.0:
        return (((x - 5) * x + 8) * x - 4) * a
    return 0.0


def _lanczos(x: float) -> float:
    return _sinc(x) * _sinc(x / 3) if -3.0 <= x < 3.0 else 0.0


def _sinc(x: float) -> float:
    if x == 0.0:
        return 1.0
    x *= math.pi
    return math.sin(x) / x


_KERNELS: dict[str, tuple[Callable[[float], float], float]] = {
    "box": (_box, 0.5),
    "bilinear": (_bilinear, 1.0),
    "hamming": (_hamming, 1.0),
    "bicubic": (_bicubic, 2.0),
    "lanczos": (_lanczos, 3.0),
}
