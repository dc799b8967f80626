"""Sums of products of rows, Σ z zᵀ, in float64: on the processor, or on a device of torch."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


class BlasProducts:
    """The sum of products on the processor: the lower triangle, added to in place by BLAS.

    Threads may each add to a sum of their own at the same time: unlike SciPy's wrappers, this call
    of the same function lets other threads run.
    """

    def __init__(self, d: int) -> None:
        self._sum = np.zeros((d, d), order="F")

    def add(self, rows: np.ndarray) -> None:
        """Add the products of (b, d) rows, float64 in C order."""
        n, d = rows.shape
        assert rows.flags.c_contiguous and rows.dtype == np.float64 and len(self._sum) == d
        # Of a whole number BLAS reads the first half or all, as it was built: both are the value.
        d64, n64, one = ctypes.c_int64(d), ctypes.c_int64(n), ctypes.c_double(1.0)
        by = ctypes.byref
        # Rows in C order are what Fortran knows as their transpose.
        _syrk()(b"L", b"N", by(d64), by(n64), by(one), rows.ctypes.data, by(d64), by(one),
                self._sum.ctypes.data, by(d64))  # fmt: skip

    def take(self, other: BlasProducts) -> None:
        """Add another's sum, and leave it empty."""
        for j in range(len(self._sum)):
            self._sum[j:, j] += other._sum[j:, j]
        other._sum = np.zeros((0, 0))

    def sum_about(self, n: int, offset: np.ndarray) -> np.ndarray:
        """Return the (d, d) sum for n rows less ``offset``, their mean; the sum is used up."""
        scatter = self._sum
        for j in range(len(offset)):
            scatter[j:, j] -= n * offset[j] * offset[j:]
            scatter[j, j:] = scatter[j:, j]
        return scatter


class TorchProducts:
    """The sum of products on a device of torch."""

    def __init__(self, d: int, device: str | torch.device) -> None:
        import torch

        self._as_tensor = lambda a: torch.from_numpy(a).to(device)
        self._sum = torch.zeros((d, d), dtype=torch.float64, device=device)

    def add(self, rows: np.ndarray) -> None:
        """Add the products of (b, d) rows, float64."""
        there = self._as_tensor(rows)
        self._sum.addmm_(there.T, there)

    def sum_about(self, n: int, offset: np.ndarray) -> np.ndarray:
        """Return the (d, d) sum for n rows less ``offset``, their mean; the sum is used up."""
        there = self._as_tensor(offset)
        self._sum.addr_(there, there, alpha=-n)
        return self._sum.cpu().numpy()


@functools.cache
def _syrk() -> Callable[..., None]:
    """Return BLAS's dsyrk, as SciPy exports it to Cython, for calls without Python's lock."""
    from scipy.linalg import cython_blas  # pyright: ignore[reportAttributeAccessIssue]

    capsule = cython_blas.__pyx_capi__["dsyrk"]
    api, held = ctypes.pythonapi, ctypes.py_object
    name_of = ctypes.PYFUNCTYPE(ctypes.c_char_p, held)(("PyCapsule_GetName", api))
    pointer_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, held, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", api)
    )
    text, pointer = ctypes.c_char_p, ctypes.c_void_p
    address = pointer_of(capsule, name_of(capsule))
    return ctypes.CFUNCTYPE(None, text, text, *[pointer] * 8)(address)
