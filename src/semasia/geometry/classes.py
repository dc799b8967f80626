"""Label values that are far from contiguous: classes are numbered by those that occur."""

from __future__ import annotations

import numpy as np

# Below, an array with a place for every number up to the largest label costs nothing worth saving.
# Raise or lower only with the recipes of geometry and probes: it decides how classes are counted.
_FEW = 4096


def values_that_occur(labels: np.ndarray, classes: int = 0) -> np.ndarray | None:
    """Return the label values that occur, ascending, where most numbers up to the largest do not.

    Identifiers of other catalogues, such as 0, 7 and 60,000, would else make arrays with a place
    for every number between. None where the values themselves can number the classes.

    Parameters
    ----------
    labels : (n,) int array
        Not negative.
    classes : int
        Numbers from 0 that are known to be classes, whether they occur or not.
    """
    size = max(classes, int(labels.max(initial=-1)) + 1)
    if size <= _FEW:
        return None
    values = np.unique(labels)
    return values if 2 * len(values) < size else None


def numbered(labels: np.ndarray, values: np.ndarray | None) -> np.ndarray:
    """Return labels as positions among ``values``; as they are where that is None."""
    return labels if values is None else np.searchsorted(values, labels)
