"""The decompositions of :mod:`semasia.decomposition`, by the name they had here first."""

from semasia.decomposition import singular_values, svd

__all__ = ["singular_values", "svd"]
