"""The registry of alignment methods: a new one is a class, a line here and a test."""

from __future__ import annotations

from semasia.comparison.alignment.cca import CCA
from semasia.comparison.alignment.linear import Linear
from semasia.comparison.alignment.method import Alignment
from semasia.comparison.alignment.parseval import Parseval
from semasia.comparison.alignment.procrustes import Procrustes
from semasia.comparison.alignment.relative import Relative
from semasia.comparison.alignment.ridge import Ridge

# The paper's three first.
METHODS: dict[str, type[Alignment]] = {
    method.name: method for method in (Parseval, Linear, CCA, Procrustes, Ridge, Relative)
}
