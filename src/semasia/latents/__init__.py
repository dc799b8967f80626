"""Latents: the shard format, its resumable writer and its strict reader."""

from semasia.latents.collection import scan
from semasia.latents.provenance import provenance_of
from semasia.latents.reader import Latents, Shard, load, open_shard, shard_path
from semasia.latents.writer import ShardWriter

__all__ = [
    "Latents",
    "Shard",
    "ShardWriter",
    "load",
    "open_shard",
    "provenance_of",
    "scan",
    "shard_path",
]
