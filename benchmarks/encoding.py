"""Size and speed of ways to store a shard, on the latents of 5,000 real digits.

Of two kinds: those of the packaged EfficientNet-Lite0 (rectified: many small values and some exact
zeros), and those of an untrained ViT-Tiny (signed, none zero), whose weights are seeded.
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

from semasia.latents.encoding import SPLIT, WHOLE, parquet_options, row_group_rows

_REPEATS = 9
_ROWS = 5_000
Write = Callable[[np.ndarray, Path], None]


def run() -> dict[str, Any]:
    """Write and read every kind of file, in turns."""
    from benchmarks.extraction_run import digit_latents

    result: dict[str, Any] = {"rows": _ROWS, "repeats": _REPEATS}
    for kind, model in (("rectified", "tf_efficientnet_lite0.in1k"), ("signed", None)):
        with tempfile.TemporaryDirectory() as scratch:
            values = digit_latents(Path(scratch), _ROWS, model)
            print(f"{kind}: {values.shape}", flush=True)
            result[kind] = {"width": values.shape[1], "files": _compared(values, Path(scratch))}
    return result


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

    def chosen(values: np.ndarray, path: Path) -> None:
        table = _table(values)
        options = parquet_options(table.slice(0, group))
        pq.write_table(table, path, row_group_size=group, **options)

    return {
        "semasia": chosen,
        "split, zstd 3": arrow(**SPLIT),
        "split, zstd 1": arrow(**{**SPLIT, "compression_level": 1}),
        "split, zstd 6": arrow(**{**SPLIT, "compression_level": 6}),
        "split, zstd 9": arrow(**{**SPLIT, "compression_level": 9}),
        "split, lz4": arrow(**{**SPLIT, "compression": "lz4", "compression_level": None}),
        "whole, zstd 3": arrow(**WHOLE),
        "whole, zstd 9": arrow(**{**WHOLE, "compression_level": 9}),
        "split, zstd 3, groups of 1/8": arrow(group // 8, **SPLIT),
        "split, zstd 3, one group": arrow(1 << 30, **SPLIT),
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
