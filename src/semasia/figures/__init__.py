"""Figures and pages: what a person looks at."""

import matplotlib as mpl

mpl.use("Agg")  # no display is needed, and none is looked for

from semasia.figures.alignment import draw_alignments
from semasia.figures.artefact import draw_artefact
from semasia.figures.forest import draw_forest
from semasia.figures.geometry import draw_metrics, draw_probes
from semasia.figures.matrices import draw_bases, draw_similarities, draw_transfers
from semasia.figures.pages import write_geometry_page, write_plain_page
from semasia.figures.probes import write_probes_page
from semasia.figures.projection import draw_projection
from semasia.figures.registry import draw_registry
from semasia.figures.timings import draw_timings
from semasia.figures.violins import draw_violins

__all__ = [
    "draw_alignments",
    "draw_artefact",
    "draw_bases",
    "draw_forest",
    "draw_metrics",
    "draw_probes",
    "draw_projection",
    "draw_registry",
    "draw_similarities",
    "draw_timings",
    "draw_transfers",
    "draw_violins",
    "write_geometry_page",
    "write_plain_page",
    "write_probes_page",
]
