"""What this machine can run networks on, told without importing torch."""

from __future__ import annotations

import shutil
from pathlib import Path


def accelerator_present() -> bool:
    """Return whether an NVIDIA device or its driver's tools are there."""
    return Path("/dev/nvidia0").exists() or shutil.which("nvidia-smi") is not None
