"""Compile kernels with numba, their machine code kept on disk where that can be written.

The one way to import numba here. Numba imports a module `coverage` where it finds one, and in a
job of Snakemake, which puts the folder of scripts first, it finds the script of that name.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


def _without_coverage() -> ModuleType:
    if "coverage" in sys.modules:
        return importlib.import_module("numba")
    # None makes the import fail, as it does where no such module is installed.
    sys.modules["coverage"] = None  # pyright: ignore[reportArgumentType]
    try:
        return importlib.import_module("numba")
    finally:
        del sys.modules["coverage"]


numba: Any = _without_coverage()


def use_threads(threads: int) -> None:
    """Run kernels on so many threads, or on all there are if they are fewer."""
    numba.set_num_threads(max(1, min(threads, numba.config.NUMBA_NUM_THREADS)))


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
