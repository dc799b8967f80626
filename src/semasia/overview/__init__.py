"""What a collection will cost, and how much of it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semasia.deferred import deferred

if TYPE_CHECKING:
    from semasia.overview.bill import bill_frame, bill_lines, costs_of
    from semasia.overview.coverage import (
        coverage_counts,
        coverage_frame,
        coverage_lines,
        missing_shards,
        states_of,
    )

__all__ = [
    "bill_frame",
    "bill_lines",
    "costs_of",
    "coverage_counts",
    "coverage_frame",
    "coverage_lines",
    "missing_shards",
    "states_of",
]

__getattr__ = deferred(
    __name__,
    {
        "bill_frame": "bill",
        "bill_lines": "bill",
        "costs_of": "bill",
        "coverage_counts": "coverage",
        "coverage_frame": "coverage",
        "coverage_lines": "coverage",
        "missing_shards": "coverage",
        "states_of": "coverage",
    },
)
