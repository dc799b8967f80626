"""False-discovery control over many tests at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# statsmodels' names of the two procedures.
METHODS = {"bh": "fdr_bh", "by": "fdr_by"}


def q_values(p_values: Sequence[float | None], method: str) -> list[float | None]:
    """Return adjusted p-values; tests without a p-value are left out of the count and stay None.

    Parameters
    ----------
    p_values : sequence of float or None
    method : str
        ``bh``: Benjamini & Hochberg (1995), for independent or positively dependent tests.
        ``by``: Benjamini & Yekutieli (2001), for any dependence.
    """
    from statsmodels.stats.multitest import multipletests

    known = [place for place, p in enumerate(p_values) if p is not None]
    adjusted: list[float | None] = [None] * len(p_values)
    if known:
        given = np.array([p_values[place] for place in known], dtype=float)
        found = np.asarray(multipletests(given, method=METHODS[method])[1])
        for place, value in zip(known, found, strict=True):
            adjusted[place] = float(value)
    return adjusted
