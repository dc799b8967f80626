"""Size and speed of ways to store a shard, on real latents.

The latents are those of the packaged EfficientNet-Lite0 on real digits (rectified: many small and
some exact zeros) and of a transformer's kind (signed, none zero): the same vectors whitened.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from semasia.latents.schema import PARQUET_OPTIONS, row_group_rows

_REPEATS = 5
_ROWS = 20_000
Write = Callable[[np.ndarray, Path], None]


def run() -> dict[str, Any]:
    """Write and read every kind of file, in turns."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rectified = _rectified(folder)
        whitened = _whitened(rectified)
        return {
            "rows": _ROWS,
            "width": rectified.shape[1],
            "repeats": _REPEATS,
            "rectified": _compared(rectified, folder),
            "signed": _compared(whitened, folder),
        }


def _compared(values: np.ndarray, folder: Path) -> dict[str, Any]:
    ways = _ways(values.shape[1])
    times: dict[str, dict[str, list[float]]] = {k: {"write": [], "read": []} for k in ways}
    sizes = {}
    for _ in range(_REPEATS):
        for name, write in ways.items():
            path = folder / "shard.parquet"
            began = time.perf_counter()
            write(values, path)
            times[name]["write"].append(time.perf_counter() - began)
            sizes[name] = path.stat().st_size
            began = time.perf_counter()
            table = pq.read_table(path, columns=["embedding"])
            column = table["embedding"].combine_chunks()
            read = column.flatten().to_numpy(zero_copy_only=False)
            times[name]["read"].append(time.perf_counter() - began)
            assert read.size == values.size
            path.unlink()
    rows = {}
    for name, taken in times.items():
        rows[name] = {
            "of_raw": round(sizes[name] / values.nbytes, 3),
            "write_s": round(statistics.median(taken["write"]), 2),
            "read_s": round(statistics.median(taken["read"]), 3),
        }
        print(f"{name:34} {rows[name]}", flush=True)
    return rows


def _ways(width: int) -> dict[str, Write]:
    group = row_group_rows(width)

    def arrow(groups: int = group, **options: Any) -> Write:
        def write(values: np.ndarray, path: Path) -> None:
            pq.write_table(_table(values), path, row_group_size=groups, **options)

        return write

    ours = PARQUET_OPTIONS
    return {
        "semasia": arrow(**ours),
        "semasia, zstd 1": arrow(**{**ours, "compression_level": 1}),
        "semasia, zstd 6": arrow(**{**ours, "compression_level": 6}),
        "semasia, zstd 9": arrow(**{**ours, "compression_level": 9}),
        "semasia, groups of 1/8": arrow(group // 8, **ours),
        "semasia, one group": arrow(1 << 30, **ours),
        "semasia, lz4": arrow(**{**ours, "compression": "lz4", "compression_level": None}),
        "zstd 3, not split": arrow(
            **{**ours, "use_byte_stream_split": False, "use_dictionary": ["model_name"]}
        ),
        "polars default": lambda v, p: pl.DataFrame(_table(v)).write_parquet(p),
        "datasets default": _with_datasets,
        "pyarrow default": arrow(1 << 20),
    }


def _with_datasets(values: np.ndarray, path: Path) -> None:
    import datasets

    datasets.disable_progress_bars()
    datasets.Dataset(_table(values)).to_parquet(path)


def _table(values: np.ndarray) -> pa.Table:
    n, width = values.shape
    return pa.table(
        {
            "id": pa.array(np.arange(n, dtype=np.uint32)),
            "label": pa.array(np.arange(n) % 10),
            "model_name": pa.repeat("tf_efficientnet_lite0.in1k", n),
            "embedding": pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), width),
        }
    )


def _rectified(folder: Path) -> np.ndarray:
    """Return real latents of 2,000 digits, mixed in pairs to the number of rows wanted."""
    from benchmarks.extraction_run import demo_latents

    real = demo_latents(folder, rows=2_000)
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, len(real), (2, _ROWS))
    share = rng.random((_ROWS, 1), np.float32)
    # A mixture keeps the zeros that both have, and gives new mantissas elsewhere.
    return share * real[first] + (1 - share) * real[second]


def _whitened(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(axis=0)
    return (centred / (centred.std(axis=0) + 1e-6)).astype(np.float32)
