"""Matrix products on an accelerator, in the processes that were given one.

One switch for a process, as for threads: what multiplies large matrices asks here. Products are in
the type of their factors (no TF32), so that error bounds hold on either side.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from semasia.errors import SemasiaError

_device: str | None = None
# Bytes of keys that are compared at a time.
_TILE_BYTES = 2**28


def use_device(device: str | None) -> None:
    """Multiply on a device of torch, such as ``cuda``, from now on; None: on the processor.

    Raises
    ------
    SemasiaError
        If torch cannot compute there.
    """
    global _device
    if device is not None:
        import torch

        try:
            torch.ones(1, dtype=torch.float64, device=device).sum().item()
        except (RuntimeError, AssertionError, TypeError) as error:
            reason = str(error).splitlines()[0]
            raise SemasiaError(f"torch cannot compute in float64 on {device!r}: {reason}") from None
        torch.set_float32_matmul_precision("highest")
    _device = device


def device_in_use() -> str | None:
    """Return the device that products are made on; None: the processor."""
    return _device


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a @ b in the type of the factors, the larger of two, on the device in use."""
    if _device is None:
        return a @ b
    kind = np.result_type(a, b)
    return (_there(a.astype(kind, copy=False)) @ _there(b.astype(kind, copy=False))).cpu().numpy()


def keep_nearest(
    moved: np.ndarray, queries: np.ndarray, weights: np.ndarray, keys: np.ndarray, items: np.ndarray
) -> None:
    """Fill in, for every query i, the points j with the least ``weights[j] - 2 moved[i]·moved[j]``.

    The points lie on the device as a whole, n × d, beside a tile of 256 MiB.

    Parameters
    ----------
    moved : (n, d) float array
    queries : (q,) int array
        Points that are asked for; a point is not its own neighbour.
    weights : (n,) array
    keys, items : (q, m) arrays
        Filled, the greatest key of each row first; item −1 where there is none.
    """
    import torch

    n, m = len(moved), keys.shape[1]
    points, own = _there(moved), _there(weights)
    step = max(1, _TILE_BYTES // (n * moved.itemsize))
    for start in range(0, len(queries), step):
        asked = torch.from_numpy(queries[start : start + step]).to(points.device)
        tile = torch.addmm(own, points[asked], points.T, alpha=-2)
        tile[torch.arange(len(asked), device=tile.device), asked] = torch.inf
        least, which = tile.topk(m, dim=1, largest=False, sorted=True)
        which[torch.isinf(least)] = -1
        keys[start : start + step] = least.flip(1).cpu().numpy()
        items[start : start + step] = which.flip(1).cpu().numpy()


def _there(array: np.ndarray) -> Any:
    import torch

    whole = np.ascontiguousarray(array)
    # Torch warns of memory that may not be written, as that of a mapped shard.
    return torch.from_numpy(whole if whole.flags.writeable else whole.copy()).to(str(_device))
