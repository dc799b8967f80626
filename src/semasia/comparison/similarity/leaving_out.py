"""The measures of covariances with one block of rows left out at a time, by subtraction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from semasia.comparison.similarity.factors import RANK_SHARE
from semasia.comparison.similarity.intervals import without
from semasia.comparison.similarity.linear import OF_ENERGIES, Linear, scaled_energy
from semasia.comparison.similarity.products import cross_products
from semasia.comparison.similarity.summary import Summary
from semasia.decomposition import eigh
from semasia.errors import ComparisonError, DecompositionError

# ‖AᵀA‖²_F without a block below this share of that of all rows is what subtraction rounds to.
_NOTHING = 1e-12

Key = tuple[str, str | None]


def left_out(
    a: Summary, b: Summary, cross: np.ndarray, keys: Sequence[Key]
) -> tuple[dict[Key, np.ndarray], dict[Key, str]]:
    """Return every measure with each block left out, and why it is undefined for some.

    Products of the rows that stay are those of all rows less the block's, moved to their own mean;
    nothing is summed over the rows that stay but their norms.

    Parameters
    ----------
    a, b : Summary
    cross : (r, s) array
        basis_Aᵀ basis_B over all rows.
    keys : sequence of (str, str or None)
        Measures in :data:`LINEAR` and their parameters.

    Returns
    -------
    values : dict of (g,) arrays
    notes : dict of str
    """
    own = [cross_products(s.basis, s.basis) if s.factors is None else None for s in (a, b)]
    spectral = any(name not in OF_ENERGIES for name, _ in keys)
    values: dict[Key, list[float]] = {key: [] for key in keys}
    notes: dict[Key, str] = {}
    for block in a.blocks.members():
        rest = _without(a, b, cross, own, block)
        if any(e <= _NOTHING * s.energy for e, s in zip(rest.linear.energies, (a, b), strict=True)):
            note = "all rows of a space coincide with a block of rows left out."
            return {}, dict.fromkeys(keys, note)
        spectra = _refactored(rest) if spectral else rest.linear
        for key in keys:
            try:
                chosen = rest.linear if key[0] in OF_ENERGIES else spectra
                values[key].append(chosen.value(*key))
            except (ComparisonError, DecompositionError) as error:
                notes.setdefault(key, f"with a block of rows left out, {error}")
    return {key: np.array(found) for key, found in values.items()}, notes


class _Rest(NamedTuple):
    """Two spaces without a block of rows.

    Attributes
    ----------
    linear : Linear
        In the bases and scales of all rows, which are not orthonormal without the block.
    own : two arrays, (r, r) and (s, s)
        Products of each space's rows with themselves, about the mean of those that stay.
    """

    linear: Linear
    own: tuple[np.ndarray, np.ndarray]


def _without(
    a: Summary,
    b: Summary,
    cross: np.ndarray,
    own: Sequence[np.ndarray | None],
    block: np.ndarray,
) -> _Rest:
    n = a.rows
    gone = [s.basis[block].astype(np.float64) for s in (a, b)]
    products, squares = [], []
    for summary, whole, rows in zip((a, b), own, gone, strict=True):
        whole = np.eye(len(summary.scales)) if whole is None else whole
        scales = summary.scales
        products.append(scales[:, None] * without(whole, rows, rows, n) * scales)
        squares.append(_squares(summary, rows, block))
    rest = without(cross, gone[0], gone[1], n)
    linear = Linear(
        cross=rest,
        energy=scaled_energy(rest, (a.scales, b.scales)),
        scales=(a.scales, b.scales),
        energies=(_energy(products[0]), _energy(products[1])),
        squares=(squares[0], squares[1]),
        right=(a.factors.right, b.factors.right) if a.factors and b.factors else None,
    )
    return _Rest(linear, (products[0], products[1]))


def _squares(summary: Summary, gone: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Return the squared norms of the rows that stay, about their own mean."""
    mean = -gone.sum(axis=0) / (summary.rows - len(gone))
    # ‖a − m‖² = ‖a‖² − 2 a·m + ‖m‖², a and m both basis times scales.
    moved = summary.squares - 2 * (summary.basis @ (summary.scales**2 * mean))
    moved += float(np.square(summary.scales * mean).sum())
    return np.delete(moved, block)


def _refactored(rest: _Rest) -> Linear:
    """Return the decompositions of the spaces without a block, from their products."""
    linear = rest.linear
    assert linear.right is not None, "a summary for these measures has factors"
    assert linear.cross is not None, "it was made from the product"
    kept, turns, right = [], [], []
    for products, scales, known in zip(rest.own, linear.scales, linear.right, strict=True):
        eigenvalues, vectors = eigh(products)
        eigenvalues, vectors = eigenvalues[::-1], vectors[:, ::-1]
        rank = int((eigenvalues > RANK_SHARE**2 * eigenvalues[0]).sum())
        values = np.sqrt(eigenvalues[:rank])
        vectors = vectors[:, :rank]
        kept.append(values)
        # U' = basis scales V' / σ'
        turns.append(scales[:, None] * vectors / values)
        right.append(vectors.T @ known)
    return Linear(
        cross=turns[0].T @ linear.cross @ turns[1],
        energy=linear.energy,
        scales=(kept[0], kept[1]),
        energies=linear.energies,
        squares=linear.squares,
        right=(right[0], right[1]),
    )


def _energy(products: np.ndarray) -> float:
    return float(np.square(products).sum())
