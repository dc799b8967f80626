"""The probe of the paper's published analysis: least squares, without intercept or ridge."""

from __future__ import annotations

import numpy as np

from semasia.decomposition import eigh
from semasia.geometry.moments import Moments
from semasia.geometry.probes.linear import LinearProbe

# What torch's solver takes for zero, times the larger side: its own default for float32.
_EPSILON = float(np.finfo(np.float32).eps)


def fit_unregularised(known: Moments) -> LinearProbe:
    """Fit W = Z⁺Y, of raw rows to one-hot labels, the solution of least norm.

    With about as many rows as dimensions it interpolates noise, and its accuracy is that of the
    noise (docs/methods.md, Ridge): it is there to be set beside the paper's figures, and is no
    measure of a latent space. Singular values below max(n, d) times the precision of float32, as a
    share of the largest, count as zero, as in ``torch.linalg.lstsq`` on a processor. A class
    without rows has the output 0 and may be predicted.

    Parameters
    ----------
    known : Moments
        With class sums.

    References
    ----------
    SPAICOM/semasia-datasets at 60fe565, ``scripts/proto_alignment.py``.
    """
    n, d = known.n, len(known.mean)
    values, vectors = eigh(known.scatter + n * np.outer(known.mean, known.mean))
    kept = values > (max(n, d) * _EPSILON) ** 2 * values[-1]
    vectors = vectors[:, kept]
    weights, intercepts = {}, {}
    for column, sums in known.class_sums.items():
        of_rows = (sums + known.class_counts[column][:, None] * known.mean).T
        weights[column] = vectors @ ((vectors.T @ of_rows) / values[kept, None])
        intercepts[column] = np.zeros(len(sums))
    return LinearProbe(weights, intercepts, n, values=known.class_values)
