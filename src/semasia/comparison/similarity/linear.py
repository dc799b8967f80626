"""The measures of covariances of one pair, from one product of the two bases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semasia.comparison.similarity.chance import (
    correlation_chance,
    kernel_chance,
    neighbour_chance,
)
from semasia.comparison.similarity.cka import cka_of, unbiased_cka_of
from semasia.comparison.similarity.factors import (
    SUBSPACE_K,
    holding,
    procrustes_of,
    pwcca_of,
    subspace_overlap_of,
    svcca_of,
)
from semasia.comparison.similarity.products import cross_energy
from semasia.comparison.similarity.summary import Summary
from semasia.geometry.further import isotropy_spectral

LINEAR = (
    "linear_cka",
    "unbiased_linear_cka",
    "svcca",
    "pwcca",
    "subspace_overlap",
    "procrustes_distance",
    "isotropy_spectral_delta",
)
# Those that need no decomposition.
OF_ENERGIES = LINEAR[:2]


@dataclass(frozen=True)
class Linear:
    """Two spaces as bases times scales, and the product of the bases.

    Attributes
    ----------
    cross : (r, s) array or None
        basis_Aᵀ basis_B; None where only its energy was asked for.
    energy : float
        ‖AᵀB‖²_F.
    scales : two arrays, (r,) and (s,)
    energies : (float, float)
        ‖AᵀA‖²_F and ‖BᵀB‖²_F.
    squares : two (n,) arrays
        Squared norms of the centred rows.
    right : two arrays, (r, dA) and (s, dB), or None
        Right factors, where the bases are left factors.
    """

    cross: np.ndarray | None
    energy: float
    scales: tuple[np.ndarray, np.ndarray]
    energies: tuple[float, float]
    squares: tuple[np.ndarray, np.ndarray]
    right: tuple[np.ndarray, np.ndarray] | None

    @classmethod
    def of(cls, a: Summary, b: Summary, cross: np.ndarray | None) -> Linear:
        """Take what two summaries know; without their product, make it in panels for its energy."""
        if cross is None:
            # Without factors the bases are the rows themselves.
            left, right = (s.basis * s.scales if s.factors else s.basis for s in (a, b))
            energy = cross_energy(left, right)
        else:
            energy = scaled_energy(cross, (a.scales, b.scales))
        return cls(
            cross=cross,
            energy=energy,
            scales=(a.scales, b.scales),
            energies=(a.energy, b.energy),
            squares=(a.squares, b.squares),
            right=(a.factors.right, b.factors.right) if a.factors and b.factors else None,
        )

    def value(self, name: str, parameter: str | None) -> float:
        """Return one of the measures in :data:`LINEAR`.

        Raises
        ------
        ComparisonError
            If it is undefined.
        """
        if name in OF_ENERGIES:
            if name == "linear_cka":
                return cka_of(self.energy, *self.energies)
            return unbiased_cka_of((self.energy, *self.energies), *self.squares)
        if name == "isotropy_spectral_delta":
            a, b = (
                isotropy_spectral(np.square(scales), right.shape[1])
                for scales, right in zip(self.scales, self._right(), strict=True)
            )
            return abs(a - b)
        assert self.cross is not None, "these measures need the product"
        if name == "pwcca":
            right = self._right()
            if parameter == "weights=a":
                return pwcca_of(self.cross, self.scales[0], right[0])
            return pwcca_of(self.cross.T, self.scales[1], right[1])
        of = {
            "svcca": svcca_of,
            "subspace_overlap": subspace_overlap_of,
            "procrustes_distance": procrustes_of,
        }
        return of[name](self.cross, *self.scales)

    def chance(self, name: str) -> float | None:
        """Return the mean of a measure over all permutations of the rows of one space."""
        rows = len(self.squares[0])
        a, b = (len(scales) for scales in self.scales)
        if name == "linear_cka":
            trace_a, trace_b = (
                float(squares.sum() / np.sqrt(energy))
                for squares, energy in zip(self.squares, self.energies, strict=True)
            )
            return kernel_chance(trace_a, trace_b, rows)
        if name == "svcca":
            return correlation_chance(rows, *(holding(scales) for scales in self.scales))
        return {
            "unbiased_linear_cka": 0.0,
            "pwcca": correlation_chance(rows, a, b) if name == "pwcca" else None,
            "subspace_overlap": neighbour_chance(rows, SUBSPACE_K),
        }.get(name)

    def _right(self) -> tuple[np.ndarray, np.ndarray]:
        assert self.right is not None, "a summary for these measures has factors"
        return self.right


def scaled_energy(cross: np.ndarray, scales: tuple[np.ndarray, np.ndarray]) -> float:
    """Return ‖AᵀB‖²_F from the product of the two bases."""
    return float(np.square(scales[0][:, None] * cross * scales[1]).sum())
