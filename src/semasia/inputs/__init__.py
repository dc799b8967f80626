"""Benchmarks: cards, sources, and splits prepared once for all models."""

from semasia.inputs.cards import BenchmarkCard, InputsCard, find_benchmark, load_benchmark
from semasia.inputs.prepare import SplitFacts, prepare_split
from semasia.inputs.prepared import PreparedSplit
from semasia.inputs.sources import SourceSplit, open_split
from semasia.inputs.sources.tables import resolve_revision

__all__ = [
    "BenchmarkCard",
    "InputsCard",
    "PreparedSplit",
    "SourceSplit",
    "SplitFacts",
    "find_benchmark",
    "load_benchmark",
    "open_split",
    "prepare_split",
    "resolve_revision",
]
