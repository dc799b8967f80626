"""One least-squares fit with three kinds of standard errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy import special

from semasia.decomposition import rank, singular_values

# What errors may be: independent; alike within a model; alike within a network, that is among the
# checkpoints of one architecture.
KINDS = ("hc3", "by_model", "by_network")
_CONFIDENCE = 0.95
_RANK_TOLERANCE = 1e-9


class Inference(NamedTuple):
    """Standard error, interval and p-value of a coefficient; or why there is none."""

    se: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    note: str | None = None


class JointTest(NamedTuple):
    """F statistic and p-value that several coefficients are all zero; or why there is none."""

    statistic: float | None = None
    p: float | None = None
    note: str | None = None


@dataclass(frozen=True)
class Design:
    """A design matrix and who belongs together.

    Parameters
    ----------
    X : (n, k) float array
        With an intercept.
    terms : sequence of str
        Names of the k columns.
    clusters : mapping
        Of a kind of error, (n,) codes from 0.
    """

    X: np.ndarray
    terms: Sequence[str]
    clusters: Mapping[str, np.ndarray] = field(default_factory=dict)

    @cached_property
    def full_rank(self) -> bool:
        """Return whether every coefficient is identified and residual degrees are left."""
        n, k = self.X.shape
        return n > k and rank(self.X.T @ self.X) == k

    @cached_property
    def inverse(self) -> np.ndarray:
        """Return (XᵀX)⁻¹, (k, k)."""
        return np.linalg.inv(self.X.T @ self.X)

    @cached_property
    def projector(self) -> np.ndarray:
        """Return (XᵀX)⁻¹Xᵀ, (k, n): it turns any outcome into its coefficients."""
        return self.inverse @ self.X.T

    @cached_property
    def leverages(self) -> np.ndarray:
        """Return the diagonal of the hat matrix, (n,)."""
        return np.einsum("nk,kn->n", self.X, self.projector)

    @cached_property
    def jackknives(self) -> dict[str, Jackknife]:
        """Return what leaving out each cluster does, for every kind; shared by all outcomes."""
        return {kind: Jackknife.of(self, codes) for kind, codes in self.clusters.items()}


@dataclass(frozen=True)
class Jackknife:
    """Leave-one-cluster-out changes of least-squares coefficients, for any outcome.

    ``operators`` has, of every cluster, its rows, the place of each among the cluster's u distinct
    design rows, and the (k, u) matrix that turns their summed residuals into β̂ − β̂₍₋g₎; ``lost``
    has (G, k) bool: coefficients that cannot be estimated without a cluster.
    """

    operators: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]
    lost: np.ndarray

    @property
    def groups(self) -> int:
        """Return the number of clusters."""
        return len(self.operators)

    @classmethod
    def of(cls, design: Design, codes: np.ndarray) -> Jackknife:
        """Prepare the changes for a design and its clusters.

        Stacked pairs repeat rows: a cluster has hundreds of rows and few distinct ones, U with
        counts W. Then β̂ − β̂₍₋g₎ = (XᵀX)⁻¹Uᵀ(I − W U(XᵀX)⁻¹Uᵀ)⁻¹ times the sums of the residuals.
        """
        gram = design.X.T @ design.X
        order = np.argsort(codes, kind="stable")
        members = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
        operators, lost = [], []
        for rows in members:
            distinct, place, count = np.unique(
                design.X[rows], axis=0, return_inverse=True, return_counts=True
            )
            place = place.reshape(-1)
            kernel = distinct @ design.inverse @ distinct.T
            without = np.eye(len(count)) - count[:, None] * kernel
            if singular_values(without)[-1] > _RANK_TOLERANCE:
                change = design.inverse @ distinct.T @ np.linalg.inv(without)
                lost.append(np.zeros(len(gram), dtype=bool))
            else:
                # Some coefficients need this cluster: those whose unit vector does not lie in the
                # row space of the rest.
                rest = gram - (distinct.T * count) @ distinct
                inverse = np.linalg.pinv(rest, rcond=_RANK_TOLERANCE, hermitian=True)
                change = inverse @ distinct.T
                lost.append(np.abs(inverse @ rest - np.eye(len(gram))).max(axis=0) > 1e-6)
            operators.append((rows, place, change))
        return cls(operators, np.array(lost))

    def covariance(self, residuals: np.ndarray) -> np.ndarray:
        """Return CV3, (k, k): (G − 1)/G Σ (β̂₍₋g₎ − β̂)(β̂₍₋g₎ − β̂)ᵀ.

        References
        ----------
        Bell & McCaffrey (2002); MacKinnon, Nielsen & Webb (2023), "Cluster-robust inference: a
        guide to empirical practice", with the full sample's estimate as the centre.
        """
        changes = np.array(
            [
                change @ np.bincount(place, residuals[rows], change.shape[1])
                for rows, place, change in self.operators
            ]
        )
        return (self.groups - 1) / self.groups * changes.T @ changes


class Fit:
    """Ordinary least squares of one outcome (Semasia, Appendix F).

    HC3 errors have a normal reference, as in the paper. Errors clustered by model or network are
    CV3, the jackknife of which HC3 is the case of one row per cluster, with Student's t of G − 1
    degrees of freedom. What depends on the design alone is computed once for all outcomes.

    Parameters
    ----------
    design : Design
        Of full rank.
    y : (n,) float array

    References
    ----------
    MacKinnon & White (1985) for HC3.
    """

    def __init__(self, design: Design, y: np.ndarray) -> None:
        self.design = design
        self.coefficients: np.ndarray = design.projector @ y
        self.residuals: np.ndarray = y - design.X @ self.coefficients
        left = 1.0 - design.leverages
        # A row that decides a coefficient alone has leverage 1, and HC3 does not exist.
        whole = bool((left > _RANK_TOLERANCE).all())
        scaled = design.projector * (self.residuals / np.where(left > 0, left, 1.0))
        k = len(design.terms)
        self._hc3 = scaled @ scaled.T if whole else np.full((k, k), np.nan)
        self._covariances = {
            kind: jackknife.covariance(self.residuals)
            for kind, jackknife in design.jackknives.items()
        }

    def inference(self, term: str, kind: str) -> Inference:
        """Return the inference of one coefficient under one kind of error."""
        place = self.design.terms.index(term)
        words = kind.replace("_", " ")
        if kind == "hc3":
            variance, freedom = self._hc3[place, place], np.inf
            if not variance > 0:
                return Inference(note="HC3: a row decides a coefficient alone (leverage 1)")
        else:
            jackknife = self.design.jackknives[kind]
            variance, freedom = self._covariances[kind][place, place], jackknife.groups - 1
            if freedom < 1 or jackknife.lost[:, place].any():
                return Inference(
                    note=f"{words}: without one of the {freedom + 1} clusters the effect is not "
                    "identified"
                )
            if not variance > 0:
                return Inference(note=f"{words}: no variation between clusters")
        se = float(np.sqrt(variance))
        estimate = float(self.coefficients[place])
        upper = 0.5 + _CONFIDENCE / 2
        # Student's t of infinite degrees of freedom is the normal.
        normal = np.isinf(freedom)
        half = se * float(special.ndtri(upper) if normal else special.stdtrit(freedom, upper))
        ratio = -abs(estimate) / se
        p = 2 * float(special.ndtr(ratio) if normal else special.stdtr(freedom, ratio))
        return Inference(se, estimate - half, estimate + half, p)

    def joint_test(self, terms: Sequence[str], kind: str) -> JointTest:
        """Return the Wald test in F form that all ``terms`` are zero (Semasia, section 3.2).

        Its second degrees of freedom are n − k under HC3, as in the paper, and G − 1 under
        clustering.
        """
        n, k = self.design.X.shape
        places = [self.design.terms.index(term) for term in terms]
        words = kind.replace("_", " ")
        if kind == "hc3":
            covariance, second = self._hc3, n - k
        else:
            jackknife = self.design.jackknives[kind]
            covariance, second = self._covariances[kind], jackknife.groups - 1
            if jackknife.lost[:, places].any():
                return JointTest(note=f"{words}: one cluster decides an effect alone")
        part = covariance[np.ix_(places, places)]
        if len(places) > second or not np.isfinite(part).all():
            return JointTest(note=f"{words}: too few clusters for a joint test")
        scale = np.sqrt(np.diag(part))
        if (scale == 0).any() or rank(part / np.outer(scale, scale)) < len(places):
            return JointTest(note=f"{words}: too few clusters for a joint test")
        beta = self.coefficients[places]
        statistic = float(beta @ np.linalg.solve(part, beta)) / len(places)
        return JointTest(statistic, float(special.fdtrc(len(places), second, statistic)))
