"""Multinomial logistic regression that says where its estimates do not exist."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

# A model is separated where some direction ranks every observed class at least as high as every
# other, and one strictly higher by more than this, in a box of side 2.
_SEPARATION = 1e-6
_ITERATIONS = 200


class MultinomialFit(NamedTuple):
    """Log-likelihood in nats of a fit and whether the optimiser says that it ended."""

    log_likelihood: float
    converged: bool


def is_separated(X: np.ndarray, classes: np.ndarray) -> bool:
    """Return whether the maximum-likelihood estimate of a multinomial logit does not exist.

    Complete or quasi-complete separation: a direction b ≠ 0 with xᵢᵀ(b_{yᵢ} − b_k) ≥ 0 for all rows
    i and classes k, strictly for one. Found exactly, by a linear programme.

    Parameters
    ----------
    X : (n, p) float array
        With an intercept; columns of comparable size.
    classes : (n,) int array
        From 0 to K − 1, each at least once.

    References
    ----------
    Albert & Anderson (1984), Biometrika 71; Konis (2007), linear programming for its detection.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_matrix

    n, p = X.shape
    number = int(classes.max()) + 1
    blocks = []
    for other in range(number):
        rows = np.flatnonzero(classes != other)
        block = np.zeros((len(rows), number, p))
        block[np.arange(len(rows)), classes[rows]] += X[rows]
        block[np.arange(len(rows)), other] -= X[rows]
        blocks.append(block.reshape(len(rows), number * p))
    margins = np.concatenate(blocks)
    found = linprog(
        -margins.sum(axis=0),
        A_ub=csr_matrix(-margins),
        b_ub=np.zeros(len(margins)),
        bounds=(-1.0, 1.0),
        method="highs",
    )
    return bool(found.status == 0 and -found.fun > _SEPARATION * n)


def fit_maximum_likelihood(X: np.ndarray, classes: np.ndarray) -> MultinomialFit:
    """Fit by statsmodels' MNLogit: Newton's method, then BFGS where Newton does not converge."""
    import statsmodels.api as sm

    best = MultinomialFit(-np.inf, False)
    for method in ("newton", "bfgs"):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                fitted = sm.MNLogit(classes, X).fit(
                    method=method, maxiter=_ITERATIONS if method == "newton" else 5000, disp=0
                )
            except np.linalg.LinAlgError:
                continue
        found = MultinomialFit(float(fitted.llf), bool(fitted.mle_retvals["converged"]))
        if np.isfinite(found.log_likelihood) and found.converged:
            return found
        if np.isfinite(found.log_likelihood) and found.log_likelihood > best.log_likelihood:
            best = found
    return best


def fit_ridge(X: np.ndarray, classes: np.ndarray) -> MultinomialFit:
    """Fit with ½‖b‖² added to the negative log-likelihood, the intercept left free.

    The log-likelihood returned is without the penalty. It is a fallback for separated data: finite,
    and no base for a χ² test.

    Parameters
    ----------
    X : (n, p) float array
        The first column is the intercept and is not used.
    classes : (n,) int array
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0, max_iter=10000, tol=1e-8)
    slopes = X[:, 1:] if X.shape[1] > 1 else np.zeros((len(X), 1))
    model.fit(slopes, classes)
    chosen = model.predict_log_proba(slopes)[np.arange(len(classes)), classes]
    return MultinomialFit(float(chosen.sum()), bool(np.all(model.n_iter_ < 10000)))
