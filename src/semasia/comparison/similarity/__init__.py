"""Similarity: how far two latent spaces of the same inputs agree."""

from semasia.comparison.similarity.cka import (
    linear_cka,
    pairwise_linear_cka,
    unbiased_linear_cka,
)
from semasia.comparison.similarity.compare import Similarity, compare
from semasia.comparison.similarity.definitions import MEASURES, Invariance, Measure
from semasia.comparison.similarity.distances import kernel_cka, rsa
from semasia.comparison.similarity.factors import (
    procrustes_distance,
    pwcca,
    subspace_overlap,
    svcca,
)
from semasia.comparison.similarity.intervals import (
    Blocks,
    Sampling,
    jackknife_blocks,
    jackknife_interval,
)
from semasia.comparison.similarity.isotropy import isotropy_delta, isotropy_spectral_delta
from semasia.comparison.similarity.neighbourhoods import neighbour_jaccard, nps
from semasia.comparison.similarity.products import CrossProducts
from semasia.comparison.similarity.summary import Summary, summarise
from semasia.comparison.similarity.table import (
    SIMILARITY_COLUMNS,
    pair_rows,
    similarity_rows,
    without_values,
)

__all__ = [
    "MEASURES",
    "SIMILARITY_COLUMNS",
    "Blocks",
    "CrossProducts",
    "Invariance",
    "Measure",
    "Sampling",
    "Similarity",
    "Summary",
    "compare",
    "isotropy_delta",
    "isotropy_spectral_delta",
    "jackknife_blocks",
    "jackknife_interval",
    "kernel_cka",
    "linear_cka",
    "neighbour_jaccard",
    "nps",
    "pair_rows",
    "pairwise_linear_cka",
    "procrustes_distance",
    "pwcca",
    "rsa",
    "similarity_rows",
    "subspace_overlap",
    "summarise",
    "svcca",
    "unbiased_linear_cka",
    "without_values",
]
