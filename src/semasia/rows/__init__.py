"""Rows: how the rows of any table come from shards, whatever becomes of one of these."""

from semasia.rows.analysis import Part, Rows, ShardAnalysis
from semasia.rows.cache import RowCache
from semasia.rows.opening import Opened, key_of, open_by_model, open_shard_at, opened_or_why, sound

__all__ = [
    "Opened",
    "Part",
    "RowCache",
    "Rows",
    "ShardAnalysis",
    "key_of",
    "open_by_model",
    "open_shard_at",
    "opened_or_why",
    "sound",
]
