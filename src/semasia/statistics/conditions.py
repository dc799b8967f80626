"""The five conditions and what the paper states of them (Semasia, Appendix F)."""

from __future__ import annotations

CONDITIONS = (
    "dataset_complexity",
    "specialization",
    "transfer_learning",
    "augmentation",
    "model_scale",
)
VARIANTS = ("strict", "paper")
# Semasia, Appendix F: the four evaluation datasets.
PAPER_BENCHMARKS = ("cifar10", "mnist", "fashion_mnist", "oxford_flowers")
# Semasia, Table 2, N. Obs. Divided by the four datasets they are pairs: 82, 121, 113, 56, 1,815.
PAPER_OBSERVATIONS = dict(zip(CONDITIONS, (328, 484, 452, 224, 7260), strict=True))
LABELS = {
    "dataset_complexity": "Dataset complexity",
    "specialization": "Specialization",
    "transfer_learning": "Transfer learning",
    "augmentation": "Augmentation",
    "model_scale": "Model scale",
}
