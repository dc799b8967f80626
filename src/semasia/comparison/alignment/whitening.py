"""Pre- and dewhitening by the Cholesky factor of the covariance: what the methods share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from semasia.errors import ComparisonError

# Added to the diagonal of covariances, in units of variance. Stored values change with it.
EPSILON = 1e-6


@dataclass(frozen=True)
class Whitening:
    """The map of centred rows to zero mean and unit covariance, and its inverse.

    ε makes the factor exist where there are fewer rows than dimensions or a dimension is dead: a
    direction of variance λ gets variance λ / (λ + ε), which is near 1 for λ ≫ ε and 0 for λ = 0. A
    new row that differs in a dead direction is enlarged there by 1/√ε = 1,000; the maps that are
    fitted here vanish in such directions, so this is never transmitted.

    Attributes
    ----------
    factor : (r, r) float64 array
        L of C + εI = L Lᵀ, lower triangular.

    References
    ----------
    Semasia, Appendix E.2.
    """

    factor: np.ndarray

    @classmethod
    def of(cls, covariance: np.ndarray, name: str = "A") -> Whitening:
        """Factorise a covariance.

        Parameters
        ----------
        covariance : (r, r) float64 array
            Divided by n − 1, without ε.
        name : str
            What an error calls the latents.

        Raises
        ------
        ComparisonError
            If the sum is not positive definite in float64, as some variance is 10¹⁰ or more, beside
            which ε vanishes, and another is none; or if no variance reaches ε, which would then
            decide what is sent.
        """
        check_reach(covariance, name)
        shifted = covariance + EPSILON * np.eye(len(covariance))
        try:
            factor = scipy.linalg.cholesky(
                shifted, lower=True, overwrite_a=True, check_finite=False
            )
        except np.linalg.LinAlgError as error:
            largest = float(np.diag(covariance).max(initial=0))
            raise ComparisonError(
                f"{name}: the covariance plus {EPSILON:g} is not positive definite in float64, as "
                f"a dimension has a variance of {largest:.3g}; scale the rows down, or drop "
                "dimensions that others determine."
            ) from error
        return cls(factor)

    def whiten(self, centred: np.ndarray) -> np.ndarray:
        """Return X L⁻ᵀ, (b, r), of (b, r) centred rows."""
        return scipy.linalg.solve_triangular(
            self.factor, centred.T, lower=True, check_finite=False
        ).T

    def dewhiten(self, whitened: np.ndarray) -> np.ndarray:
        """Return X̃ Lᵀ, (b, r) centred rows, of (b, r) whitened ones."""
        return whitened @ self.factor.T


def check_reach(covariance: np.ndarray, name: str) -> None:
    """Raise a ComparisonError where no variance reaches ε, unless there is none at all."""
    reach = float(np.diag(covariance).max(initial=0))
    if 0 < reach < EPSILON:
        raise ComparisonError(
            f"{name}: no dimension has a variance of more than {reach:.3g}, less than ε = "
            f"{EPSILON:g}, which is added to it; scale the rows up."
        )
