"""Readers: one module per kind of source, all giving a :class:`SourceSplit`."""

from semasia.inputs.sources.base import Payload, SourceSplit
from semasia.inputs.sources.opening import open_split

__all__ = ["Payload", "SourceSplit", "open_split"]
