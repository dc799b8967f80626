"""Configuration: its schema, and the collection it describes."""

from semasia.config.collection import Collection, Target
from semasia.config.schema import Config, parse_config

__all__ = ["Collection", "Config", "Target", "parse_config"]
