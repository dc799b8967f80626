"""Alignment: maps of the latents of one model into the space of another, and what they are worth.

A method is one class; it is in :data:`METHODS` under its name.
"""

from semasia.comparison.alignment.cca import CCA
from semasia.comparison.alignment.classifiers import fit_classifiers
from semasia.comparison.alignment.evaluation import TestRows
from semasia.comparison.alignment.linear import Linear
from semasia.comparison.alignment.method import Alignment
from semasia.comparison.alignment.methods import METHODS
from semasia.comparison.alignment.paired import Paired
from semasia.comparison.alignment.parseval import Parseval
from semasia.comparison.alignment.procrustes import Procrustes
from semasia.comparison.alignment.relative import Relative
from semasia.comparison.alignment.ridge import Ridge
from semasia.comparison.alignment.sides import Side
from semasia.comparison.alignment.table import ALIGNMENT_COLUMNS, alignment_rows, subset
from semasia.comparison.alignment.whitening import EPSILON, Whitening

__all__ = [
    "ALIGNMENT_COLUMNS",
    "CCA",
    "EPSILON",
    "METHODS",
    "Alignment",
    "Linear",
    "Paired",
    "Parseval",
    "Procrustes",
    "Relative",
    "Ridge",
    "Side",
    "TestRows",
    "Whitening",
    "alignment_rows",
    "fit_classifiers",
    "subset",
]
