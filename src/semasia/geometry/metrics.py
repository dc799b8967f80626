"""The ten label-free metrics of one latent space (Semasia, Appendix F.1).

Variances divide by n, as the paper's distances do, so that
``total_spread = mean_distance_to_centroid² + std_distance_to_centroid²``.
Spectral entropy and effective rank weigh singular values, not their squares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from semasia.decomposition import eigenvalues
from semasia.errors import DegenerateEmbeddingError
from semasia.geometry.definitions import METRIC_DEFINITIONS
from semasia.geometry.moments import Moments, moments, squared_distances

if TYPE_CHECKING:
    import torch

METRICS = tuple(
    name
    for name, known in METRIC_DEFINITIONS.items()
    if not name.startswith("probe_") and not known.beyond_paper
)

# An eigenvalue of the scatter matrix below this share of the largest is rounding error: float64
# products of float32 rows leave about 1e-16 of it.
_ZERO = 1e-14


def geometric_metrics(Z: Any, device: str | torch.device | None = None) -> dict[str, float]:
    """Return the ten label-free metrics of an embedding, by name.

    Parameters
    ----------
    Z : (n, d) array-like of float
        One row per input; n ≥ 2.
    device : str or torch.device, optional
        Where products are summed, see :func:`semasia.geometry.moments`.

    Raises
    ------
    DegenerateEmbeddingError
        If Z is not a matrix of at least two finite rows, or all rows coincide.

    References
    ----------
    Semasia, Appendix F.1; Roy & Vetterli (2007) for the effective rank.
    """
    rows = checked(Z)
    known = moments([rows], device=device) if len(rows) else None
    return metrics_of(known, spectrum(known), lambda: [rows])


def checked(Z: Any) -> np.ndarray:
    """Return Z as an array.

    Raises
    ------
    DegenerateEmbeddingError
        If it is not a matrix of numbers. That they are finite is checked where they are summed.
    """
    rows = np.asarray(Z)
    if rows.ndim != 2 or rows.dtype.kind not in "fiu":
        raise DegenerateEmbeddingError(
            f"an embedding is an (n, d) matrix of numbers; found {rows.shape} of {rows.dtype}."
        )
    return rows


def spectrum(known: Moments | None) -> np.ndarray:
    """Return the non-zero eigenvalues of the covariance (divided by n), largest first.

    At most n − 1 of them; those below 1e-14 of the largest are rounding error and count as zero.

    Raises
    ------
    DegenerateEmbeddingError
        If there are fewer than two rows, or all of them coincide.
    """
    if known is None or known.n < 2:
        found = known.n if known else 0
        raise DegenerateEmbeddingError(f"{found} rows; spread is defined from two on.")
    # Equal rows leave at most a variance of rounding size in float64.
    if not known.variances.sum() > 1e-28 * float(np.square(known.mean).sum()):
        raise DegenerateEmbeddingError(f"all {known.n} rows coincide: every metric is undefined.")
    values = eigenvalues(known.scatter)[::-1]
    values = values[: min(known.n - 1, len(values))] / known.n
    return values[values > _ZERO * values[0]]


def metrics_of(
    known: Moments | None, eigenvalues: np.ndarray, blocks: Callable[[], Iterable[np.ndarray]]
) -> dict[str, float]:
    """Return the ten metrics from moments and a second pass over the rows for distances.

    Parameters
    ----------
    known : Moments
    eigenvalues : (r,) array
        What :func:`spectrum` gives for them.
    blocks : callable
        Gives the (b, d) blocks again.
    """
    assert known is not None, "a spectrum comes from moments"
    variances = known.variances
    total = float(variances.sum())
    distances = np.sqrt(squared_distances(blocks(), known.mean))
    ratios = eigenvalues / eigenvalues.sum()
    entropy = spectral_entropy(np.sqrt(eigenvalues))
    return {
        "total_spread": total,
        "mean_distance_to_centroid": float(distances.mean()),
        "std_distance_to_centroid": float(distances.std()),
        "density": known.n / total,
        # A sum that reaches 0.9 but for rounding counts as having reached it.
        "n_components_90": int(np.searchsorted(np.cumsum(ratios), 0.9 - 1e-12)) + 1,
        "evr_1": float(ratios[0]),
        "evr_3": float(ratios[:3].sum()),
        "isotropy": float(variances.min() / variances.max()),
        "spectral_entropy": entropy,
        "effective_rank": float(np.exp(entropy)),
    }


def spectral_entropy(singular_values: np.ndarray) -> float:
    """Shannon entropy, in nats, of singular values normalised to sum to one.

    Parameters
    ----------
    singular_values : (r,) float array
        Singular values of the centred (n, d) embedding, not squared; zeros do not count.

    Returns
    -------
    float
        In [0, log r].

    References
    ----------
    Semasia, Appendix F.1; Roy & Vetterli (2007).
    """
    p = singular_values[singular_values > 0]
    p = p / p.sum()
    # Adding 0.0 turns the −0.0 of a single component into 0.0.
    return float(-(p * np.log(p)).sum() + 0.0)
