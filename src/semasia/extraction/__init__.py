"""Extraction: encoders run over prepared splits, shards written.

Names are imported on first use: the workflow needs the small ones at every start, and never torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from semasia.deferred import deferred

if TYPE_CHECKING:
    from semasia.extraction.devices import accelerator_present
    from semasia.extraction.engine import extract
    from semasia.extraction.planning import Wishes
    from semasia.extraction.progress import Progress, begin_run
    from semasia.extraction.timings import Timings, timings_row

__all__ = [
    "Progress",
    "Timings",
    "Wishes",
    "accelerator_present",
    "begin_run",
    "extract",
    "timings_row",
]

__getattr__ = deferred(
    __name__,
    {
        "Progress": "progress",
        "Timings": "timings",
        "Wishes": "planning",
        "accelerator_present": "devices",
        "begin_run": "progress",
        "extract": "engine",
        "timings_row": "timings",
    },
)
