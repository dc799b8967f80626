"""What every probe is: a linear map with intercept per label column, the largest output wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class LinearProbe:
    """A linear classifier per label column.

    Attributes
    ----------
    weights : dict of (d, c) arrays
        One per label column.
    intercepts : dict of (c,) arrays
        −inf for a class that is never predicted, as no row that was fitted has it.
    rows : int
        Rows it was fitted on.
    values : mapping of (c,) int arrays
        The labels that classes 0, 1, … stand for, of columns whose labels are far from contiguous.
    """

    weights: dict[str, np.ndarray]
    intercepts: dict[str, np.ndarray]
    rows: int
    values: Mapping[str, np.ndarray] = field(default_factory=dict, kw_only=True)

    def predict(self, block: np.ndarray) -> dict[str, np.ndarray]:
        """Return the predicted label of each row of a (b, d) block, per label column."""
        rows = np.asarray(block, np.float64)
        found = {
            c: np.argmax(rows @ w + self.intercepts[c], axis=1) for c, w in self.weights.items()
        }
        return {c: self.values[c][f] if c in self.values else f for c, f in found.items()}
