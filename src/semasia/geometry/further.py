"""Metrics of one latent space that the Semasia paper does not have."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from semasia.errors import DegenerateEmbeddingError
from semasia.geometry.definitions import METRIC_DEFINITIONS
from semasia.geometry.directions import UNIFORMITY_ROWS, mean_cosine, uniformity
from semasia.geometry.metrics import checked, spectrum
from semasia.geometry.moments import Moments, moments
from semasia.geometry.neighbourhoods import NEIGHBOUR_ROWS, K, hubness, intrinsic_dimension

FURTHER_METRICS = tuple(m for m, known in METRIC_DEFINITIONS.items() if known.beyond_paper)
_SEED = 0


def further_metrics(Z: Any, labels: Any = None) -> tuple[dict[str, float | None], list[str]]:
    """Return the metrics beyond the paper, by name, and a remark on each that is undefined.

    Parameters
    ----------
    Z : (n, d) array-like of float
    labels : (n,) array-like of int, optional
        Classes from 0 on, for the class separation.

    Raises
    ------
    DegenerateEmbeddingError
        If Z is not a matrix of at least two finite rows, or all rows coincide.
    """
    rows = checked(Z)
    known = None
    if len(rows):
        values = {} if labels is None else {"labels": np.asarray(labels, np.int64)}
        known = moments([rows], values, {c: int(v.max()) + 1 for c, v in values.items()})
    eigenvalues = spectrum(known)
    assert known is not None, "a spectrum comes from moments"
    return further_metrics_of(known, eigenvalues, lambda: [rows])


def further_metrics_of(
    known: Moments, eigenvalues: np.ndarray, blocks: Callable[[], Iterable[np.ndarray]]
) -> tuple[dict[str, float | None], list[str]]:
    """As :func:`further_metrics`, from moments, their spectrum, and the blocks of rows."""
    sample = sampled(blocks(), known.n, NEIGHBOUR_ROWS)
    apart = sample
    found: dict[str, Callable[[], float]] = {
        "isotropy_spectral": lambda: isotropy_spectral(eigenvalues, len(known.mean)),
        "participation_ratio": lambda: participation_ratio(eigenvalues),
        "mean_cosine": lambda: mean_cosine(blocks()),
        "uniformity": lambda: uniformity(sampled([sample], len(sample), UNIFORMITY_ROWS)),
    }
    remarks = shape_remarks(known, len(eigenvalues))
    if len(sample) > 2:
        # Numba takes half a second to import.
        from semasia.neighbours import distinct_rows

        apart = sample[distinct_rows(sample)[0]]
        if len(apart) < len(sample):
            remarks.append(
                f"intrinsic_dimension, hubness: {len(sample) - len(apart)} of {len(sample)} rows "
                "are copies of others and are left out."
            )
    k = min(K, len(apart) - 1)
    if k >= 2:
        from semasia.neighbours import distances_to, nearest_neighbours

        indices = nearest_neighbours(apart, k)
        distances = distances_to(apart, indices)
        found["intrinsic_dimension"] = lambda: intrinsic_dimension(distances)
        if k == K:
            found["hubness"] = lambda: hubness(indices)
    if known.class_sums:
        found["class_separation"] = lambda: class_separation(known)
    values: dict[str, float | None] = dict.fromkeys(FURTHER_METRICS)
    for name, metric in found.items():
        try:
            values[name] = metric()
        except DegenerateEmbeddingError as error:
            remarks.append(f"{name}: {error}")
    for name, least in (("intrinsic_dimension", 3), ("hubness", K + 1)):
        if name not in found:
            remarks.append(f"{name}: {len(apart)} rows; at least {least} are needed.")
    return values, remarks


def shape_remarks(known: Moments, rank: int) -> list[str]:
    """Return a remark on each metric that the shape of an embedding decides.

    Parameters
    ----------
    known : Moments
    rank : int
        Eigenvalues that differ from zero.
    """
    d = len(known.mean)
    constant = int((known.variances <= 0).sum())
    remarks = []
    if constant:
        which = f"{constant} of {d} dimensions are" if constant > 1 else f"one of {d} dimensions is"
        remarks.append(f"isotropy: 0, as {which} constant.")
    if rank < d:
        remarks.append(f"isotropy_spectral: 0, as {known.n} rows span {rank} of {d} dimensions.")
    return remarks


def isotropy_spectral(eigenvalues: np.ndarray, d: int) -> float:
    """Smallest over largest of the d singular values of the centred embedding.

    0 where fewer than d of them differ from zero, as for n ≤ d. Papers report an isotropy of the
    spectrum without a formula; this definition is ours.

    Parameters
    ----------
    eigenvalues : (r,) array
        The non-zero eigenvalues of the covariance, largest first.
    d : int
    """
    return float(np.sqrt(eigenvalues[-1] / eigenvalues[0])) if len(eigenvalues) == d else 0.0


def participation_ratio(eigenvalues: np.ndarray) -> float:
    """(Σλ)² / Σλ², in [1, r]: r where all r eigenvalues are equal.

    References
    ----------
    Gao, Trautmann, Yu, Santhanam, Ryu, Shenoy & Ganguli (2017), bioRxiv 214262.
    """
    p = eigenvalues / eigenvalues.sum()
    return float(1 / (p @ p))


def class_separation(known: Moments) -> float:
    """Tr S_B / Tr S_W, mean over label columns: scatter of class means over that within classes.

    Raises
    ------
    DegenerateEmbeddingError
        If the rows of every class coincide.

    References
    ----------
    Fukunaga (1990), Introduction to Statistical Pattern Recognition, section 10.2.
    """
    whole = float(np.trace(known.scatter))
    ratios = []
    for column, sums in known.class_sums.items():
        count = known.class_counts[column]
        between = float((np.square(sums).sum(1)[count > 0] / count[count > 0]).sum())
        within = whole - between
        if not within > 1e-12 * whole:
            raise DegenerateEmbeddingError(f"the rows of each class of {column!r} coincide.")
        ratios.append(between / within)
    return float(np.mean(ratios))


def sampled(blocks: Iterable[np.ndarray], n: int, most: int) -> np.ndarray:
    """Return all n rows, or a seeded sample of ``most`` of them, in their order."""
    if n <= most:
        return np.concatenate(list(blocks))
    chosen = np.sort(np.random.default_rng(_SEED).choice(n, most, replace=False))
    kept, start = [], 0
    for block in blocks:
        within = chosen[(chosen >= start) & (chosen < start + len(block))] - start
        kept.append(np.asarray(block)[within])
        start += len(block)
    return np.concatenate(kept)
