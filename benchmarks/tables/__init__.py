"""Writes the committed results into the documentation: ``python -m benchmarks.tables``.

A table stands between ``<!-- NAME -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from benchmarks.record import RESULTS
from benchmarks.tables import analyses, comparison, coverage, extraction, paper, publishing, scale

DOCS = RESULTS.parents[1] / "docs"

TABLES: dict[str, tuple[str, Callable[[], str]]] = {
    "extraction": ("extraction.md", extraction.extraction),
    "startup": ("extraction.md", extraction.startup),
    "accelerator": ("extraction.md", extraction.accelerator),
    "pace": ("extraction.md", extraction.pace),
    "soak": ("extraction.md", extraction.soak),
    "jobs": ("scale.md", scale.jobs),
    "encoding": ("data-format.md", extraction.encoding),
    "digests": ("data-format.md", extraction.digests),
    "graph": ("scale.md", scale.graph),
    "scheduling": ("scale.md", scale.scheduling),
    "graphs": ("methods-graphs.md", analyses.graphs),
    "contrasts": ("methods-statistics.md", analyses.contrasts),
    "simulation": ("methods-statistics.md", analyses.simulation),
    "false_discoveries": ("methods-statistics.md", analyses.false_discoveries),
    "geometry": ("methods.md", analyses.geometry),
    "probes": ("methods.md", analyses.probes),
    "similarity_measures": ("methods-comparison.md", comparison.measures),
    "similarity": ("methods-comparison.md", comparison.similarity),
    "similarity_accelerator": ("methods-comparison.md", comparison.on_accelerators),
    "alignment": ("methods-alignment.md", analyses.alignment),
    "coverage_neighbours": ("methods-comparison.md", coverage.neighbours),
    "coverage_sampling": ("methods-comparison.md", coverage.sampling),
    "coverage_canonical": ("methods-comparison.md", coverage.canonical),
    "coverage_accuracies": ("methods.md", coverage.accuracies),
    "coverage_likelihood_ratios": ("methods-statistics.md", coverage.likelihood_ratios),
    "paper_reading": ("paper.md", paper.reading),
    "cards": ("publishing.md", publishing.cards),
}


def rewritten(file: str) -> str:
    """Return a document with its tables made anew."""
    text = (DOCS / file).read_text(encoding="utf-8")
    for name, (where, table) in TABLES.items():
        if where == file:
            try:
                made = table()
            except FileNotFoundError:
                made = f"Not measured yet: `make bench BENCH={name}`.\n"
            pattern = rf"(<!-- {name} -->\n).*?(\n<!-- end -->)"
            text, found = re.subn(
                pattern, lambda m, t=made: m[1] + t + m[2], text, count=1, flags=re.DOTALL
            )
            assert found, f"{file} has no place for {name}"
    return text
