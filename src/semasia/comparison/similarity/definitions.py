"""Name, formula, source, range and invariances of every similarity measure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from semasia.errors import ComparisonError, did_you_mean


class Invariance(StrEnum):
    """A change to one of the two spaces, or to both where it says so, that leaves a value as is."""

    TRANSLATION = "translation"
    ISOTROPIC_SCALING = "isotropic_scaling"
    PERMUTATION_OF_DIMENSIONS = "permutation_of_dimensions"
    ROTATION = "rotation"  # any orthogonal map, reflections too
    INVERTIBLE_LINEAR = "invertible_linear"
    SCALING_OF_ROWS = "scaling_of_rows"  # each row by a positive factor of its own
    PERMUTATION_OF_ROWS_JOINTLY = "permutation_of_rows_jointly"  # of both spaces alike
    EXCHANGE = "exchange"  # of the two spaces for each other


_EVERY = frozenset(
    {
        Invariance.ISOTROPIC_SCALING,
        Invariance.PERMUTATION_OF_DIMENSIONS,
        Invariance.PERMUTATION_OF_ROWS_JOINTLY,
    }
)
_EXCHANGED = _EVERY | {Invariance.EXCHANGE}
_RIGID = _EXCHANGED | {Invariance.TRANSLATION, Invariance.ROTATION}


class Measure(NamedTuple):
    """What a similarity measure is called, what it is, where it comes from, and how to read it.

    Attributes
    ----------
    label : str
        In figures.
    definition : str
        The formula; A and B are centred unless it says otherwise.
    source : str
    bounds : (float, float)
        Least and greatest value that it can take.
    meaning : str
        What the ends of the range say.
    invariances : frozenset of Invariance
        All that hold; those of :class:`Invariance` that are not in it do not hold. Samples of rows
        are of positions: where there are more rows than a sample takes, a joint permutation of
        rows changes which are taken.
    part : str
        The part of a summary that it is computed from.
    """

    label: str
    definition: str
    source: str
    bounds: tuple[float, float]
    meaning: str
    invariances: frozenset[Invariance]
    part: str


_SAME = "1 for the same space up to the invariances, 0 for none in common"
_NEIGHBOURS = "1 where all inputs have the same neighbours; k / (n − 1) for independent spaces"
_COSINE = _EXCHANGED | {Invariance.ROTATION, Invariance.SCALING_OF_ROWS}

MEASURES: dict[str, Measure] = {
    "linear_cka": Measure(
        "linear CKA",
        "‖AᵀB‖²_F / (‖AᵀA‖_F ‖BᵀB‖_F)",
        "Kornblith et al. (2019)",
        (0.0, 1.0),
        _SAME + "; above 0 for independent spaces of few rows",
        _RIGID,
        "covariance",
    ),
    "unbiased_linear_cka": Measure(
        "unbiased linear CKA",
        "HSIC₁(A, B) / √(HSIC₁(A, A) HSIC₁(B, B)) with the unbiased estimate of HSIC",
        "Song et al. (2012); Nguyen et al. (2021)",
        (-1.0, 1.0),
        _SAME + ", whatever the number of rows",
        _RIGID,
        "covariance",
    ),
    "kernel_cka": Measure(
        "RBF CKA",
        "⟨HKH, HLH⟩ / (‖HKH‖ ‖HLH‖) with K = exp(−‖x − y‖² / 2σ²), σ = 0.4 of the median distance, "
        "on at most 2,000 rows",
        "Kornblith et al. (2019); Cortes et al. (2012)",
        (0.0, 1.0),
        _SAME + "; far above 0 for independent spaces of many dimensions",
        _RIGID,
        "kernel",
    ),
    "svcca": Measure(
        "SVCCA",
        "mean canonical correlation of the leading directions that hold 99 % of each variance",
        "Raghu et al. (2017)",
        (0.0, 1.0),
        _SAME + "; near 1 wherever directions are not few against rows",
        _RIGID,
        "factors",
    ),
    "pwcca": Measure(
        "PWCCA",
        "Σᵢ αᵢ ρᵢ / Σᵢ αᵢ with αᵢ = Σⱼ |⟨hᵢ, xⱼ⟩| over the columns xⱼ of the space that weighs",
        "Morcos et al. (2018)",
        (0.0, 1.0),
        _SAME + "; near 1 wherever directions are not few against rows",
        _EVERY | {Invariance.TRANSLATION},
        "factors",
    ),
    "subspace_overlap": Measure(
        "subspace overlap",
        "‖Uₖᵀ Vₖ‖²_F / k of the first k left singular vectors",
        "Björck & Golub (1973)",
        (0.0, 1.0),
        "1 for the same leading subspace; k / (n − 1) for independent spaces",
        _RIGID,
        "factors",
    ),
    "procrustes_distance": Measure(
        "Procrustes distance",
        "2 − 2 ‖AᵀB‖_* / (‖A‖_F ‖B‖_F), the squared distance after the best rotation",
        "Schönemann (1966); Ding et al. (2021)",
        (0.0, 2.0),
        "0 for the same space up to the invariances, 2 for none in common",
        _RIGID,
        "factors",
    ),
    "nps_cosine": Measure(
        "NPS (cosine)",
        "(1/n) Σᵢ |N_k^A(i) ∩ N_k^B(i)| / k, neighbours by cosine, not centred",
        "geometric drift paper, section 3; mutual kNN of Huh et al. (2024)",
        (0.0, 1.0),
        _NEIGHBOURS,
        _COSINE,
        "neighbours_cosine",
    ),
    "nps_euclidean": Measure(
        "NPS (Euclidean)",
        "(1/n) Σᵢ |N_k^A(i) ∩ N_k^B(i)| / k, neighbours by Euclidean distance",
        "geometric drift paper, section 3; mutual kNN of Huh et al. (2024)",
        (0.0, 1.0),
        _NEIGHBOURS,
        _RIGID,
        "neighbours_euclidean",
    ),
    "neighbour_jaccard_cosine": Measure(
        "neighbour Jaccard (cosine)",
        "(1/n) Σᵢ |N_k^A(i) ∩ N_k^B(i)| / |N_k^A(i) ∪ N_k^B(i)|, neighbours by cosine, not centred",
        "Wang et al. (2022)",
        (0.0, 1.0),
        "1 where all inputs have the same neighbours, 0 where none has one in common",
        _COSINE,
        "neighbours_cosine",
    ),
    "neighbour_jaccard_euclidean": Measure(
        "neighbour Jaccard (Euclidean)",
        "(1/n) Σᵢ |N_k^A(i) ∩ N_k^B(i)| / |N_k^A(i) ∪ N_k^B(i)|, neighbours by Euclidean distance",
        "Wang et al. (2022)",
        (0.0, 1.0),
        "1 where all inputs have the same neighbours, 0 where none has one in common",
        _RIGID,
        "neighbours_euclidean",
    ),
    "rsa": Measure(
        "RSA",
        "Spearman correlation of the Euclidean distances of all pairs of at most 1,000 rows",
        "Kriegeskorte et al. (2008)",
        (-1.0, 1.0),
        "1 where distances have the same order, about 0 for independent spaces",
        _RIGID,
        "distances",
    ),
    "isotropy_delta": Measure(
        "difference of isotropy",
        "|I(A) − I(B)|, I the smallest over the largest variance of a dimension",
        "Semasia, Appendix F.1",
        (0.0, 1.0),
        "0 for equal isotropy",
        _EXCHANGED | {Invariance.TRANSLATION},
        "covariance",
    ),
    "isotropy_spectral_delta": Measure(
        "difference of spectral isotropy",
        "|J(A) − J(B)|, J the smallest over the largest of the d singular values",
        "ours",
        (0.0, 1.0),
        "0 for equal isotropy of the spectrum",
        _RIGID,
        "factors",
    ),
}


def known_measures(names: Iterable[str] | None) -> tuple[str, ...]:
    """Return the measures named, in the order of :data:`MEASURES`; None means all.

    Raises
    ------
    ComparisonError
        If there is no measure of a name.
    """
    if names is None:
        return tuple(MEASURES)
    asked = set(names)
    for name in sorted(asked):
        if name not in MEASURES:
            raise ComparisonError(f"no measure {name!r}.{did_you_mean(name, MEASURES)}")
    return tuple(name for name in MEASURES if name in asked)
