"""Encoders: everything that turns inputs into latents."""

from semasia.encoders.protocol import Encoder
from semasia.encoders.timm_encoder import TimmEncoder

__all__ = ["Encoder", "TimmEncoder"]
