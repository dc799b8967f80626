"""Statistics: matched contrasts between models, and what they say of geometry and graphs.

Names are imported on first use: the pairs need neither statsmodels nor SciPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from semasia.deferred import deferred

if TYPE_CHECKING:
    from semasia.statistics.conditions import CONDITIONS, PAPER_BENCHMARKS, VARIANTS
    from semasia.statistics.likelihood_ratio import likelihood_ratio_table
    from semasia.statistics.pairing import contrasts, contrasts_of_set, counts, differences
    from semasia.statistics.regression import regression_table

__all__ = [
    "CONDITIONS",
    "PAPER_BENCHMARKS",
    "VARIANTS",
    "contrasts",
    "contrasts_of_set",
    "counts",
    "differences",
    "likelihood_ratio_table",
    "regression_table",
]

__getattr__ = deferred(
    __name__,
    {
        "CONDITIONS": "conditions",
        "PAPER_BENCHMARKS": "conditions",
        "VARIANTS": "conditions",
        "contrasts": "pairing",
        "contrasts_of_set": "pairing",
        "counts": "pairing",
        "differences": "pairing",
        "likelihood_ratio_table": "likelihood_ratio",
        "regression_table": "regression",
    },
)
