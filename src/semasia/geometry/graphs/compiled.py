"""Compile kernels with numba, their machine code kept on disk where that can be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator that compiles a function on its first call.

    Numba keeps machine code beside the module, or else in the user's cache folder, and refuses to
    where neither can be written (a read-only installation without a home). The function is then
    compiled anew in every process, which costs seconds and no correctness.

    Parameters
    ----------
    options
        Those of ``numba.njit`` except ``cache``.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:
            return numba.njit(**options)(function)

    return decorate
