"""Probes: what a linear classifier can read from a latent space, and how sure that is."""

from semasia.geometry.probes.artefact import ARTEFACT_COLUMNS, probe_artefact
from semasia.geometry.probes.fitting import LogisticProbe, fit_strong, fit_weak
from semasia.geometry.probes.intervals import difference_interval, share_interval
from semasia.geometry.probes.least_squares import RIDGE, LeastSquaresProbe, fit_least_squares
from semasia.geometry.probes.scoring import (
    Scored,
    scored_on,
    scores,
    unseen_classes,
)
from semasia.geometry.probes.table import (
    PROBE_COLUMNS,
    probe_analysis,
    probe_rows,
)
from semasia.geometry.probes.unregularised import fit_unregularised

__all__ = [
    "ARTEFACT_COLUMNS",
    "PROBE_COLUMNS",
    "RIDGE",
    "LeastSquaresProbe",
    "LogisticProbe",
    "Scored",
    "difference_interval",
    "fit_least_squares",
    "fit_strong",
    "fit_unregularised",
    "fit_weak",
    "probe_analysis",
    "probe_artefact",
    "probe_rows",
    "scored_on",
    "scores",
    "share_interval",
    "unseen_classes",
]
