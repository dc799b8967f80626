"""Linear centred kernel alignment, biased and unbiased, from covariances: never an n × n matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from semasia.comparison.similarity.products import (
    centred,
    cross_energies,
    cross_energy,
    row_squares,
)
from semasia.errors import ComparisonError, DegenerateEmbeddingError

Latent = np.ndarray | Callable[[], np.ndarray]


def linear_cka(A: Any, B: Any) -> float:
    """‖AᵀB‖²_F / (‖AᵀA‖_F ‖BᵀB‖_F) of centred rows, in [0, 1].

    Biased upwards for few rows: independent Gaussian spaces of equal variances have about
    √(dA dB) / √((n + dA) (n + dB)).

    Parameters
    ----------
    A : (n, dA) array-like of float
    B : (n, dB) array-like of float
        The same inputs, in the same order.

    Raises
    ------
    ComparisonError
        If the numbers of rows differ or are less than two.
    DegenerateEmbeddingError
        If a value is not finite, or all rows of one coincide.

    References
    ----------
    Kornblith, Norouzi, Lee & Hinton (2019), ICML, section 3.
    """
    a, b = centred_pair(A, B)
    return cka_of(cross_energy(a, b), cross_energy(a, a), cross_energy(b, b))


def unbiased_linear_cka(A: Any, B: Any) -> float:
    """Linear CKA with the unbiased estimate of HSIC in its three places, in [−1, 1].

    About 0 for independent spaces whatever their widths. In closed form, see :func:`hsic_of`.
    Parameters and errors as :func:`linear_cka`; at least four rows are needed.

    References
    ----------
    Song, Smola, Gretton, Bedo & Borgwardt (2012), JMLR 13, eq. 5; Nguyen, Raghu & Kornblith
    (2021), ICLR, section 3.
    """
    a, b = centred_pair(A, B)
    return unbiased_cka_of(
        (cross_energy(a, b), cross_energy(a, a), cross_energy(b, b)),
        row_squares(a),
        row_squares(b),
    )


def pairwise_linear_cka(latents: Sequence[Latent], models_at_once: int = 50) -> np.ndarray:
    """Linear CKA of every pair of models.

    Each model is centred once for all its pairs within two blocks of models, and a pair costs one
    product of dA × n × dB, which it shares with the other models of its block: one wide product is
    faster than many narrow ones. Memory is b n d̄ numbers (float32 unless a model has float64), for
    b models at once of mean width d̄, one more model, and one product of b d̄ × d.

    Parameters
    ----------
    latents : sequence of (n, dᵢ) arrays, or of callables that return one
        A callable is asked again for each block that its model is compared with.
    models_at_once : int

    Returns
    -------
    (m, m) float64 array
        Symmetric, with ones on the diagonal.

    Raises
    ------
    ComparisonError, DegenerateEmbeddingError
        As :func:`linear_cka`; the message names the position of the model.
    """
    m = len(latents)
    energies = np.zeros((m, m))
    if models_at_once < 1:
        raise ComparisonError(f"{models_at_once} models at once; one or more are needed.")
    blocks = [range(s, min(s + models_at_once, m)) for s in range(0, m, models_at_once)]
    for place, own in enumerate(blocks):
        left = [_centred_model(latents[i], i) for i in own]
        for i, rows in zip(own, left, strict=True):
            _same_rows(left[0], rows, own.start, i)
        starts = np.cumsum([0, *(rows.shape[1] for rows in left)])
        stacked = np.concatenate(left, axis=1)
        del left
        for i, start in zip(own, starts[:-1], strict=False):
            # Each model with itself and those after it.
            width = starts[i - own.start + 1] - start
            rest = starts[i - own.start : -1] - start
            found = cross_energies(stacked[:, start:], stacked[:, start : start + width], rest)
            energies[i, i : own.stop] = found
        for others in blocks[place + 1 :]:
            for j in others:
                right = _centred_model(latents[j], j)
                _same_rows(stacked, right, own.start, j)
                energies[own.start : own.stop, j] = cross_energies(stacked, right, starts[:-1])
    norms = np.sqrt(np.diag(energies))
    values = np.triu(np.minimum(energies / np.outer(norms, norms), 1), 1)
    return values + values.T + np.eye(m)


def cka_of(cross: float, own_a: float, own_b: float) -> float:
    """Return linear CKA from ‖AᵀB‖²_F, ‖AᵀA‖²_F and ‖BᵀB‖²_F of centred rows."""
    return float(min(cross / (np.sqrt(own_a) * np.sqrt(own_b)), 1.0))


def unbiased_cka_of(
    energies: tuple[float, float, float], squares_a: np.ndarray, squares_b: np.ndarray
) -> float:
    """Return unbiased linear CKA from ‖AᵀB‖²_F, ‖AᵀA‖²_F, ‖BᵀB‖²_F and the squared row norms.

    Raises
    ------
    ComparisonError
        If there are fewer than four rows, or a space has no dependence on itself.
    """
    n = len(squares_a)
    if n < 4:
        raise ComparisonError(f"{n} rows; the unbiased estimate of HSIC is defined from four on.")
    cross = hsic_of(energies[0], squares_a, squares_b)
    own = hsic_of(energies[1], squares_a, squares_a), hsic_of(energies[2], squares_b, squares_b)
    # Where all rows are at one distance it is zero but for the rounding of float32 products.
    for value, energy in zip(own, energies[1:], strict=True):
        if not value > 1e-6 * energy:
            raise ComparisonError("the unbiased HSIC of a space with itself is zero.")
    return float(np.clip(cross / (np.sqrt(own[0]) * np.sqrt(own[1])), -1, 1))


def hsic_of(energy: float, squares_a: np.ndarray, squares_b: np.ndarray) -> float:
    """Return n (n − 3) times the unbiased HSIC of two linear kernels of centred rows.

    With K = AAᵀ, L = BBᵀ, a = diag K, b = diag L and zero row sums, the sums of Song et al. over
    kernels without diagonals are tr K̃L̃ = ‖AᵀB‖²_F − a·b, K̃1 = −a, 1ᵀK̃1 = −Σa, so that

        ‖AᵀB‖²_F − n/(n − 2) a·b + Σa Σb / ((n − 1)(n − 2)).
    """
    n = len(squares_a)
    inner = float(squares_a @ squares_b)
    product = float(squares_a.sum()) * float(squares_b.sum())
    return energy - n / (n - 2) * inner + product / ((n - 1) * (n - 2))


def centred_pair(A: Any, B: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return two spaces centred, and refuse different numbers of rows."""
    a, b = centred(A), centred(B)
    check_rows(len(a), len(b))
    return a, b


def check_rows(a: int, b: int) -> None:
    """Refuse spaces of different numbers of rows, or of fewer than two.

    Raises
    ------
    ComparisonError
    """
    if a != b:
        raise ComparisonError(f"{a:,} rows and {b:,} rows: the inputs are not the same.")
    if a < 2:
        raise ComparisonError(f"{a} rows; two spaces are compared on two rows or more.")


def _centred_model(latent: Latent, place: int) -> np.ndarray:
    try:
        return centred(latent() if callable(latent) else latent)
    except (ComparisonError, DegenerateEmbeddingError) as error:
        raise type(error)(f"model {place}: {error}") from error


def _same_rows(a: np.ndarray, b: np.ndarray, i: int, j: int) -> None:
    if len(a) != len(b):
        raise ComparisonError(
            f"models {i} and {j}: {len(a):,} rows and {len(b):,} rows: the inputs are not the same."
        )
