"""Geometry: what one latent space looks like."""

from semasia.geometry.definitions import METRIC_DEFINITIONS
from semasia.geometry.further import FURTHER_METRICS, further_metrics
from semasia.geometry.metrics import METRICS, geometric_metrics
from semasia.geometry.moments import Moments, moments
from semasia.geometry.table import (
    COLUMNS,
    PROBE_METRICS,
    geometry_analysis,
    geometry_row,
)

__all__ = [
    "COLUMNS",
    "FURTHER_METRICS",
    "METRICS",
    "METRIC_DEFINITIONS",
    "PROBE_METRICS",
    "Moments",
    "further_metrics",
    "geometric_metrics",
    "geometry_analysis",
    "geometry_row",
    "moments",
]
