"""Latents: the shard format, its resumable writer and its strict reader."""

from typing import TYPE_CHECKING

from semasia.deferred import deferred
from semasia.latents.loading import Latents, load, open_shard, shard_path
from semasia.latents.locking import only_writer
from semasia.latents.parts import Plan
from semasia.latents.provenance import provenance_of
from semasia.latents.reader import Shard
from semasia.latents.writer import ShardWriter

if TYPE_CHECKING:
    from semasia.latents.collection import scan

__all__ = [
    "Latents",
    "Plan",
    "Shard",
    "ShardWriter",
    "load",
    "only_writer",
    "open_shard",
    "provenance_of",
    "scan",
    "shard_path",
]

# Polars takes a third of a second to import, and extraction needs none of it.
__getattr__ = deferred(__name__, {"scan": "collection"})
