"""Memory: what running out of it looks like, and how freed memory is kept for reuse."""

from __future__ import annotations

import contextlib
import ctypes

import torch

# Options of glibc's mallopt(3).
_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that a device, or the host, has no memory left."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and (
        "DefaultCPUAllocator: can't allocate memory" in text
        or "CUDA out of memory" in text
        or "could not create a memory object" in text  # oneDNN
    )


def keep_freed_memory() -> None:
    """Let this process keep freed memory for its next use, where its C library is glibc.

    By default glibc returns every large block to the system at once. A network on a processor
    allocates each activation anew in each forward pass, and would spend up to half of its time
    having pages cleared again. Memory in use does not grow by this; its high mark stays.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
