"""Semasia: datasets of latent representations, built, checked and studied.

The public surface is small: :func:`load` and :func:`scan` read a collection;
:mod:`semasia.geometry` measures one latent space.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semasia.latents import Latents, load, open_shard, scan

__all__ = ["Latents", "load", "open_shard", "scan"]


def __getattr__(name: str) -> Any:
    """Import the readers on first use, so that ``import semasia`` costs nothing."""
    if name in __all__:
        return getattr(importlib.import_module("semasia.latents"), name)
    raise AttributeError(f"module 'semasia' has no attribute {name!r}")
