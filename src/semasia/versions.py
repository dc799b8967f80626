"""Versions of everything that decides stored values, read without importing any of it."""

from __future__ import annotations

import importlib.metadata

_PACKAGES = ("semasia", "timm", "torch", "torchvision", "pillow", "numpy")


def versions() -> dict[str, str]:
    """Return the installed version of each package, by the name it is distributed under."""
    return {package: importlib.metadata.version(package) for package in _PACKAGES}
