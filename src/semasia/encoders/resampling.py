"""Pillow's resampling as matrices, so that whole batches can be resized on any device.

Pillow resizes 8-bit images in two passes, one along rows, one along columns. Each pass is a
weighted sum with 22-bit fixed-point weights, rounded to 8 bits. A pass is therefore a product with
a matrix of whole numbers; in float64 every term and every sum of it is exact, and so the result is
Pillow's to the last bit. Which pass comes first matters for the rounding, and is Pillow's choice:
it is found by trial, which also proves that the Pillow installed computes what is computed here.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np
import PIL
from PIL import Image

from semasia.errors import EncoderError

# Images tried at most until one tells which pass comes first. Where none does it hardly matters.
_TRIALS = 64
# Steps of an affine map that are added up at a time.
_STEPS = 1 << 20
# Images of few pixels, thin ones among them, that tell Pillow's rule for the order of passes.
_RULE_TRIALS = (
    ((2, 60), (8, 240)),
    ((60, 2), (240, 8)),
    ((12, 90), (6, 45)),
    ((90, 12), (45, 6)),
    ((40, 20), (20, 10)),
    ((41, 20), (20, 10)),
)
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
    start, part = resampling_window(size_in, size_out, interpolation, 0, size_out)
    weights = np.zeros((size_out, size_in), np.int64)
    weights[:, start : start + part.shape[1]] = part
    return weights


def resampling_window(
    size_in: int, size_out: int, interpolation: str, first: int, last: int
) -> tuple[int, np.ndarray]:
    """Return the rows ``first`` to ``last`` (excluded) of :func:`resampling_matrix`.

    Returns
    -------
    start : int
        The first input pixel that any of them needs.
    weights : (last - first, pixels needed) int64 array
        Work and memory do not depend on ``size_in`` and ``size_out`` but for ``nearest``'s steps.
    """
    one = 1 << PRECISION
    if size_in == size_out:
        taps = [(i, [one]) for i in range(first, last)]
    elif interpolation == "nearest":
        taps = [(x, [one]) for x in _nearest(size_in, size_out, first, last)]
    else:
        taps = [_taps(size_in, size_out, interpolation, i) for i in range(first, last)]
    start = min(x for x, _ in taps)
    weights = np.zeros((last - first, max(x + len(row) for x, row in taps) - start), np.int64)
    for i, (x, row) in enumerate(taps):
        weights[i, x - start : x - start + len(row)] = row
    return start, weights


def _taps(size_in: int, size_out: int, interpolation: str, i: int) -> tuple[int, list[int]]:
    """Return the first input pixel of output pixel i, and the weights from there on."""
    scale = size_in / size_out
    kernel, radius = _KERNELS[interpolation]
    stretch = max(scale, 1.0)
    support = radius * stretch
    centre = (i + 0.5) * scale
    first = max(int(centre - support + 0.5), 0)
    last = min(int(centre + support + 0.5), size_in)
    taps = [kernel((x - centre + 0.5) * (1.0 / stretch)) for x in range(first, last)]
    total = 0.0
    for tap in taps:
        total += tap
    shares = [tap / total if total else tap for tap in taps]
    return first, [int(s * (1 << PRECISION) + (0.5 if s >= 0 else -0.5)) for s in shares]


def _nearest(size_in: int, size_out: int, first: int, last: int) -> list[int]:
    """Return the input pixels of output pixels: by an affine map, whose steps Pillow adds up."""
    scale = size_in / size_out
    found: list[int] = []
    place = scale * 0.5
    for begin in range(0, last, _STEPS):
        steps = np.full(min(_STEPS, last - begin) + 1, scale)
        steps[0] = place
        steps = np.cumsum(steps)
        place = steps[-1]
        kept = steps[max(first - begin, 0) : -1]
        found += np.minimum(kept.astype(int), size_in - 1).tolist()
    return found


def rows_first(size: tuple[int, int], resized: tuple[int, int], interpolation: str) -> bool:
    """Return whether Pillow resizes along rows before columns, from (h, w) to (h, w).

    Raises
    ------
    EncoderError
        If the Pillow installed gives other pixels than either order does.
    """
    possible = _possible_orders(size, resized, interpolation)
    if possible:
        return True in possible
    raise EncoderError(
        f"this Pillow ({PIL.__version__}) resizes {size[1]}×{size[0]} to {resized[1]}×{resized[0]} "
        f"pixels ({interpolation}) in another way than the one known here. Set "
        "`extract.preprocess: reference`, or install the version that pyproject.toml names."
    )


def rows_first_by_rule(size: tuple[int, int], resized: tuple[int, int]) -> bool:
    """Return what :func:`rows_first` finds, where images are too large to try it.

    Columns come first where they lose more than twice the pixels that rows lose.

    Raises
    ------
    EncoderError
        If the Pillow installed goes by another rule.
    """
    _check_rule()
    return _rule(size, resized)


def _rule(size: tuple[int, int], resized: tuple[int, int]) -> bool:
    lost = size[0] - resized[0]
    return not (lost > 0 and lost > 2 * (size[1] - resized[1]))


@functools.cache
def _check_rule() -> None:
    for size, resized in _RULE_TRIALS:
        if _rule(size, resized) not in _possible_orders(size, resized, "bicubic"):
            raise EncoderError(
                f"this Pillow ({PIL.__version__}) takes the passes of a resize from {size} to "
                f"{resized} (height, width) in another order than the one known here. Install the "
                "version that pyproject.toml names."
            )


def _possible_orders(
    size: tuple[int, int], resized: tuple[int, int], interpolation: str
) -> set[bool]:
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
    return possible


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
