"""Compile networks for the processor with torch's inductor."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path
from typing import Any

import torch
from torch import nn


def can_compile() -> bool:
    """Return whether there is a C++ compiler that inductor can use."""
    try:
        from torch._inductor.cpp_builder import get_cpp_compiler

        get_cpp_compiler()
    except Exception:  # inductor raises a type of its own, which has moved between releases
        return False
    return True


def share_compiled(folder: Path) -> None:
    """Keep what is compiled in a folder that all jobs share, unless the environment names one.

    Machines of different processors have folders of their own: code is compiled for the very one.
    """
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        known = "\n".join(sorted({x for x in lines if x.startswith(("flags", "model name"))}))
    except OSError:
        known = platform.processor()
    kind = hashlib.sha256(f"{platform.machine()} {known}".encode()).hexdigest()[:12]
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(folder.absolute() / kind))


def compiled(network: nn.Module) -> Any:
    """Return the network compiled with its weights as constants; compiled at the first call.

    Constant weights let inductor fold normalisations into convolutions and lay weights out for the
    processor beforehand.
    """
    import torch._inductor.config as inductor

    inductor.freezing = True
    return torch.compile(network, dynamic=False)
