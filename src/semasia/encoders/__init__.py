"""Encoders: everything that turns inputs into latents."""

from semasia.encoders.compilation import share_compiled
from semasia.encoders.memory import keep_freed_memory
from semasia.encoders.protocol import Encoder
from semasia.encoders.timm_encoder import TimmEncoder

__all__ = ["Encoder", "TimmEncoder", "keep_freed_memory", "share_compiled"]
