"""Statistics: matched contrasts between models, and what they say of geometry and graphs.

Names are imported on first use: the pairs need neither statsmodels nor SciPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from semasia.deferred import deferred

if TYPE_CHECKING:
    from semasia.statistics.contrasts import contrasts, contrasts_of_set, counts, differences
    from semasia.statistics.likelihood_ratio import likelihood_ratio_table
    from semasia.statistics.regression import regression_table
    from semasia.statistics.conditions import CONDITIONS, PAPER_BENCHMARKS, VARIANTS

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
        "contrasts": "contrasts",
        "contrasts_of_set": "contrasts",
        "counts": "contrasts",
        "differences": "contrasts",
        "likelihood_ratio_table": "likelihood_ratio",
        "regression_table": "regression",
    },
)
