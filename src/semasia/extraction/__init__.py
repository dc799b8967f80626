"""Extraction: encoders run over prepared splits, shards written.

Names are imported on first use: the workflow needs the small ones at every start, and never torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from semasia.deferred import deferred

if TYPE_CHECKING:
    from semasia.extraction.ahead import Order, note_targets, sweep
    from semasia.extraction.devices import accelerator_present
    from semasia.extraction.engine import extract
    from semasia.extraction.planning import Wishes
    from semasia.extraction.progress import Progress, begin_run
    from semasia.extraction.timings import Timings
    from semasia.extraction.turn import Asked, take_turn

__all__ = [
    "Asked",
    "Order",
    "Progress",
    "Timings",
    "Wishes",
    "accelerator_present",
    "begin_run",
    "extract",
    "note_targets",
    "sweep",
    "take_turn",
]

__getattr__ = deferred(
    __name__,
    {
        "Asked": "turn",
        "Order": "ahead",
        "Progress": "progress",
        "Timings": "timings",
        "Wishes": "planning",
        "accelerator_present": "devices",
        "begin_run": "progress",
        "extract": "engine",
        "note_targets": "ahead",
        "sweep": "ahead",
        "take_turn": "turn",
    },
)
