"""Readers: one module per kind of source, all giving a :class:`SourceSplit`."""

from semasia.inputs.sources.base import SourceSplit
from semasia.inputs.sources.opening import open_split

__all__ = ["SourceSplit", "open_split"]
