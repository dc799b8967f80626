"""Prototypical anchors: centroids over a few rows of each cluster of whitened latents."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from semasia.comparison.alignment.paired import Paired
from semasia.comparison.alignment.sides import Side, row_blocks


@dataclass(frozen=True)
class IndexSet:
    """The index set 𝒜 of Algorithm 1: which rows stand for which cluster.

    Attributes
    ----------
    rows : (m,) int array
        Row numbers, cluster by cluster.
    cluster : (m,) int array
        From 0 to the number of clusters that are not empty, less one.
    """

    rows: np.ndarray
    cluster: np.ndarray

    def prototypes(self, side: Side) -> np.ndarray:
        """Return (κ, r) means of the whitened rows of each cluster, of either model."""
        whitened = self.anchors(side)
        starts = np.flatnonzero(np.diff(self.cluster, prepend=-1))
        counts = np.bincount(self.cluster)
        return np.add.reduceat(whitened, starts, axis=0) / counts[:, None]

    def anchors(self, side: Side) -> np.ndarray:
        """Return the (m, r) whitened rows of the set."""
        return side.whitening.whiten(side.coordinates(side.rows[self.rows]))


def clustering_rows(side: Side) -> np.ndarray:
    """Return (n, r) float32 whitened rows: what is clustered, in half the memory of float64."""
    found = np.empty((side.n, len(side.whitening.factor)), np.float32)
    for rows in row_blocks(side.n, side.width):
        found[rows] = side.whitening.whiten(side.coordinates(side.rows[rows]))
    return found


def index_set(
    paired: Paired, whitened: np.ndarray, clusters: int, samples: int | None, seed: int
) -> IndexSet:
    """Cluster the source's whitened rows by k-means, and sample rows of each cluster.

    The target takes the same set: that is the injected scheme. Rows are visited in the order of
    their ids, so that the order in which they are stored changes nothing but what rounding decides:
    everything, where there are no more rows than dimensions, as whitened rows then lie at one
    distance from each other.

    Parameters
    ----------
    paired : Paired
    whitened : (n, r) array
        From :func:`clustering_rows`.
    clusters : int
        κ. Clusters that k-means leaves empty, where rows coincide, have no anchors.
    samples : int or None
        ϱ; a cluster of fewer rows gives all of them. None: all rows of every cluster.
    seed : int
        Of k-means (k-means++, one start) and of the sampling.

    References
    ----------
    Semasia, Appendix D.2, Algorithm 1 and eqs. 4–5.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    order = np.argsort(paired.ids, kind="stable")
    with warnings.catch_warnings():
        # Fewer distinct rows than clusters: accounted for.
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = KMeans(clusters, random_state=seed).fit_predict(whitened[order])
    rng = np.random.default_rng(seed)
    rows, cluster = [], []
    for number, label in enumerate(np.unique(found)):
        members = order[np.flatnonzero(found == label)]
        rows.append(rng.permutation(members)[:samples])
        cluster.append(np.full(len(rows[-1]), number))
    return IndexSet(np.concatenate(rows), np.concatenate(cluster))
