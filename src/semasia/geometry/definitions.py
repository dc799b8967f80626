"""Name, meaning and source of every column of the geometry table, for tables, pages and docs."""

from __future__ import annotations

from typing import NamedTuple

_F1 = "Semasia, Appendix F.1"


class Definition(NamedTuple):
    """What a metric is called in a figure, what it is, and where it comes from.

    ``beyond_paper`` marks the metrics that the Semasia paper does not have.
    """

    label: str
    meaning: str
    source: str
    beyond_paper: bool = False


METRIC_DEFINITIONS: dict[str, Definition] = {
    "total_spread": Definition("total spread", "trace of the covariance (divided by n)", _F1),
    "mean_distance_to_centroid": Definition(
        "mean distance", "mean Euclidean distance to the centroid", _F1
    ),
    "std_distance_to_centroid": Definition(
        "std of distance", "standard deviation of the distances to the centroid", _F1
    ),
    "density": Definition("density", "rows divided by total spread", _F1),
    "n_components_90": Definition(
        "components for 90 %", "principal components that hold 90 % of the variance", _F1
    ),
    "evr_1": Definition("EVR₁", "share of variance of the first principal component", _F1),
    "evr_3": Definition("EVR₃", "share of variance of the first three principal components", _F1),
    "isotropy": Definition("isotropy", "smallest over largest variance of a single dimension", _F1),
    "spectral_entropy": Definition(
        "spectral entropy", "entropy in nats of the normalised singular values", _F1
    ),
    "effective_rank": Definition(
        "effective rank", "exponential of the spectral entropy", f"{_F1}; Roy & Vetterli (2007)"
    ),
    "isotropy_spectral": Definition(
        "spectral isotropy*",
        "smallest over largest of the d singular values; our definition",
        "beyond the Semasia paper; ours",
        True,
    ),
    "participation_ratio": Definition(
        "participation ratio*",
        "squared sum of the eigenvalues of the covariance over the sum of their squares",
        "beyond the Semasia paper; Gao et al. (2017)",
        True,
    ),
    "intrinsic_dimension": Definition(
        "intrinsic dimension*",
        "TwoNN estimate from the ratio of the distances to the two nearest neighbours, on at most "
        "5,000 rows",
        "beyond the Semasia paper; Facco et al. (2017)",
        True,
    ),
    "hubness": Definition(
        "hubness*",
        "skewness of how often a row is among the 10 nearest neighbours of others, on at most "
        "5,000 rows",
        "beyond the Semasia paper; Radovanović et al. (2010)",
        True,
    ),
    "mean_cosine": Definition(
        "mean cosine*",
        "mean cosine of two different rows",
        "beyond the Semasia paper; Ethayarajh (2019)",
        True,
    ),
    "uniformity": Definition(
        "uniformity*",
        "log of the mean of exp(−2 ‖x − y‖²) over pairs of normalised rows, on at most 2,000 rows",
        "beyond the Semasia paper; Wang & Isola (2020)",
        True,
    ),
    "class_separation": Definition(
        "class separation*",
        "trace of the scatter between classes over that within, mean over label columns",
        "beyond the Semasia paper; Fukunaga (1990)",
        True,
    ),
    "probe_accuracy": Definition(
        "probe accuracy", "share of test rows that the least-squares probe classifies right", _F1
    ),
    "probe_precision": Definition("probe precision", "mean over classes", _F1),
    "probe_recall": Definition("probe recall", "mean over classes", _F1),
    "probe_f1": Definition("probe F₁", "mean over classes", _F1),
}
