"""The least-squares probe: a linear classifier in closed form, from moments alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from semasia.geometry.moments import Moments
from semasia.geometry.probes.linear import LinearProbe

# Ridge in units of total spread / n: as if a tenth of a row per dimension had been added, spread
# evenly over all directions. It fades as rows are added. Without it a probe fitted on about as many
# rows as dimensions interpolates noise, and its accuracy collapses whatever the features are worth.
RIDGE = 0.1


@dataclass(frozen=True)
class LeastSquaresProbe(LinearProbe):
    """A linear map with intercept from latents to one-hot labels; the largest output wins.

    Attributes
    ----------
    ridge : float
        Added to the diagonal of the covariance, in its units.
    """

    ridge: float


def fit_least_squares(known: Moments) -> LeastSquaresProbe:
    """Fit the probe from moments alone.

    Minimises Σ ‖y − Wᵀz − b‖² / n + ridge · ‖W‖², y one-hot, b not penalised. A class without
    rows is never predicted.

    Parameters
    ----------
    known : Moments
        With class sums.

    References
    ----------
    Semasia, Appendix F.1 (linear probing: f(z) = Wz + b).
    """
    d = len(known.mean)
    covariance = known.scatter / known.n
    ridge = RIDGE * float(np.trace(covariance)) / known.n
    factor = scipy.linalg.cho_factor(
        covariance + max(ridge, np.finfo(float).tiny) * np.eye(d), overwrite_a=True
    )
    weights, intercepts = {}, {}
    for column, sums in known.class_sums.items():
        w = scipy.linalg.cho_solve(factor, sums.T / known.n)
        share = known.class_counts[column] / known.n
        intercepts[column] = np.where(share > 0, share - known.mean @ w, -np.inf)
        weights[column] = w
    return LeastSquaresProbe(weights, intercepts, known.n, ridge, values=known.class_values)
