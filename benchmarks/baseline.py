"""The loop that a user would write: timm's transform in a DataLoader, eager, NumPy to Parquet."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch.utils.data import DataLoader, Dataset

from semasia.compat import import_timm
from semasia.inputs import PreparedSplit


class _Images(Dataset):
    def __init__(self, split: PreparedSplit, transform) -> None:
        self.split, self.transform = split, transform

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        return self.transform(self.split.image(i).convert("RGB")), i


def extract(architecture: str, split: PreparedSplit, path: Path, workers: int) -> float:
    """Write a Parquet file of embeddings; return images per second after the first batch."""
    timm = import_timm()
    model = timm.create_model(architecture, num_classes=0).eval()
    config = timm.data.resolve_data_config({}, model=model)
    transform = timm.data.create_transform(**config, is_training=False)
    loader = DataLoader(_Images(split, transform), batch_size=64, num_workers=workers)
    ids, embeddings, began, first = [], [], 0.0, 0
    with torch.no_grad():
        for images, positions in loader:
            embeddings.append(model(images).numpy())
            ids.append(positions.numpy())
            if not began:
                began, first = time.perf_counter(), len(images)
    whole = np.concatenate(embeddings)
    table = pa.table({"id": np.concatenate(ids), "embedding": list(whole)})
    pq.write_table(table, path)
    return (len(whole) - first) / (time.perf_counter() - began)
