"""Statistics: matched contrasts between models, and what they say of geometry.

Names are imported on first use: the pairs need no statsmodels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from semasia.deferred import deferred

if TYPE_CHECKING:
    from semasia.statistics.contrasts import contrasts, contrasts_of_set, counts, differences

__all__ = ["contrasts", "contrasts_of_set", "counts", "differences"]

__getattr__ = deferred(
    __name__,
    {
        "contrasts": "contrasts",
        "contrasts_of_set": "contrasts",
        "counts": "contrasts",
        "differences": "contrasts",
    },
)
