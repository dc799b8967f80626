"""Geometry: what one latent space looks like."""

from semasia.geometry.block import rows_of_block
from semasia.geometry.cache import RowCache
from semasia.geometry.definitions import METRIC_DEFINITIONS
from semasia.geometry.further import FURTHER_METRICS, further_metrics
from semasia.geometry.metrics import METRICS, geometric_metrics
from semasia.geometry.moments import Moments, moments
from semasia.geometry.table import (
    COLUMNS,
    PROBE_METRICS,
    cached_geometry_row,
    geometry_row,
    unreadable_row,
)

__all__ = [
    "COLUMNS",
    "FURTHER_METRICS",
    "METRICS",
    "METRIC_DEFINITIONS",
    "PROBE_METRICS",
    "Moments",
    "RowCache",
    "cached_geometry_row",
    "further_metrics",
    "geometric_metrics",
    "geometry_row",
    "moments",
    "rows_of_block",
    "unreadable_row",
]
