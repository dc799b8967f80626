"""What is computed once of a model, and serves every pair that it is in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from semasia.comparison.similarity.definitions import MEASURES, known_measures
from semasia.comparison.similarity.distances import centred_kernel, distance_ranks
from semasia.comparison.similarity.factors import Factors, factors
from semasia.comparison.similarity.intervals import BLOCKS, Blocks, jackknife_blocks
from semasia.comparison.similarity.isotropy import isotropies_left_out, isotropy_of
from semasia.comparison.similarity.neighbourhoods import (
    JACCARD_K,
    METRICS,
    NPS_K,
    neighbour_lists,
    tied_shares,
)
from semasia.comparison.similarity.products import centred, cross_energy, row_squares
from semasia.errors import ComparisonError, DegenerateEmbeddingError

# One more than is asked for tells of ties, and so many more are there for a block that is left out.
_NEIGHBOURS = max(NPS_K) + 1
_MARGIN = 24


@dataclass(frozen=True)
class Summary:
    """What the measures need of one model.

    It holds at most n (8 r + 600) + 8 r d bytes for rank r ≤ min(n − 1, d), and 36 MB for samples
    of pairs: 130 MB for 10,000 rows of 1,024 dimensions. Without the measures that need factors,
    n rows of d numbers in float32 take the place of the first and the last term.

    Attributes
    ----------
    rows, width : int
    measures : tuple of str
        Those that it was made for.
    basis : (n, r) array
        Orthonormal columns that span the centred space; the centred rows themselves where there
        are no factors.
    scales : (r,) float64 array
        ``basis * scales`` is the centred space up to a rotation and a factor.
    factors : Factors or None
    energy : float
        ‖AᵀA‖²_F.
    squares : (n,) float64 array
        Squared norms of the centred rows.
    isotropy : float
        As in the geometry table.
    isotropies_left_out : (20,) array or None
        With each block of rows left out; None for too few rows.
    blocks : Blocks
        The rows that are left out together.
    neighbours : dict of (n, k) int32 arrays
        By metric. 75 as a rule, so that 51 are left whichever block is left out; n − 1 if that is
        less.
    tied : dict of dict of float
        By metric and k, the share of rows of which the order of rows decides the neighbours.
    kernel : (s, s) float64 array or None
    ranks : (p,) float64 array or None
    undefined : dict of str
        Why a part is missing.
    """

    rows: int
    width: int
    measures: tuple[str, ...]
    basis: np.ndarray
    scales: np.ndarray
    factors: Factors | None
    energy: float
    squares: np.ndarray
    isotropy: float
    isotropies_left_out: np.ndarray | None
    blocks: Blocks
    neighbours: dict[str, np.ndarray]
    tied: dict[str, dict[int, float]]
    kernel: np.ndarray | None
    ranks: np.ndarray | None
    undefined: dict[str, str]


def summarise(
    Z: Any, measures: Iterable[str] | None = None, blocks: Blocks | None = None
) -> Summary:
    """Compute what the measures need of one model.

    Parameters
    ----------
    Z : (n, d) array-like of float
    measures : iterable of str, optional
        Names in :data:`MEASURES`; all by default.
    blocks : Blocks, optional
        What :func:`jackknife_blocks` gives for the ids of the rows; by default for their positions.
        Those of two models must be the same.

    Raises
    ------
    ComparisonError
        If there are fewer than two rows, or no measure of a name.
    DegenerateEmbeddingError
        If a value is not finite (the message names the row), or all rows coincide.
    """
    names = known_measures(measures)
    parts = {MEASURES[name].part for name in names}
    rows = centred(Z)
    n, d = rows.shape
    dealt = blocks or jackknife_blocks(np.arange(n, dtype=np.uint32))
    if len(dealt.of) != n:
        raise ComparisonError(f"blocks of {len(dealt.of)} rows were given for {n} rows.")
    decomposed = factors(Z) if "factors" in parts else None
    if decomposed:
        basis, scales = decomposed.left, decomposed.values
        energy = float((scales**4).sum())
        squares = row_squares(basis * scales)
    else:
        basis, scales = rows, np.ones(d)
        energy, squares = cross_energy(rows, rows), row_squares(rows)
    undefined: dict[str, str] = {}
    made: dict[str, np.ndarray] = {}
    makers = {
        "kernel": lambda: centred_kernel(Z),
        "distances": lambda: distance_ranks(Z),
        **{f"neighbours_{metric}": lambda m=metric: _lists(Z, m, dealt) for metric in METRICS},
    }
    for part in sorted(parts & set(makers)):
        try:
            made[part] = makers[part]()
        except (ComparisonError, DegenerateEmbeddingError) as error:
            undefined[part] = str(error)
    neighbours = {m: made[f"neighbours_{m}"] for m in METRICS if f"neighbours_{m}" in made}
    asked = sorted({*NPS_K, JACCARD_K})
    return Summary(
        rows=n,
        width=d,
        measures=names,
        basis=basis,
        scales=scales,
        factors=decomposed,
        energy=energy,
        squares=squares,
        isotropy=isotropy_of(rows),
        isotropies_left_out=isotropies_left_out(rows, dealt) if n >= 2 * BLOCKS else None,
        blocks=dealt,
        neighbours=neighbours,
        tied={m: tied_shares(Z, lists, asked, m) for m, lists in neighbours.items()},
        kernel=made.get("kernel"),
        ranks=made.get("distances"),
        undefined=undefined,
    )


def _lists(Z: Any, metric: str, blocks: Blocks) -> np.ndarray:
    """Return lists of neighbours that are long enough whichever block of rows is left out."""
    from semasia.neighbours import lists_suffice

    margin = _MARGIN
    while True:
        lists = neighbour_lists(Z, min(_NEIGHBOURS + margin, len(Z) - 1), metric)
        if lists_suffice(lists, blocks.of, _NEIGHBOURS):
            return lists
        margin *= 2
