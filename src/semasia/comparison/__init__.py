"""Comparison: how far latent spaces of the same inputs agree, and maps between them."""
