"""Name, meaning and source of every column of the geometry table, for tables, pages and docs."""

from __future__ import annotations

from typing import NamedTuple

_F1 = "Semasia, Appendix F.1"


class Definition(NamedTuple):
    """What a metric is called in a figure, what it is, and where it comes from."""

    label: str
    meaning: str
    source: str


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
    "probe_accuracy": Definition(
        "probe accuracy", "share of test rows that the least-squares probe classifies right", _F1
    ),
    "probe_precision": Definition("probe precision", "mean over classes", _F1),
    "probe_recall": Definition("probe recall", "mean over classes", _F1),
    "probe_f1": Definition("probe F₁", "mean over classes", _F1),
}
