"""Linear CKA: one pair against the textbook's Gram matrices, all pairs against their products."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.geometry import latents
from semasia.comparison.similarity import linear_cka, pairwise_linear_cka

# Divides every number of rows and models: 50 shows within a second that all this runs.
SHRINK = int(os.environ.get("SEMASIA_SIMILARITY_SHRINK", "1"))
ROWS, WIDTHS = 50_000 // SHRINK, (768, 1024)
# Two Gram matrices in float64 are 6.4 GB; OpenBLAS, which multiplies them, crashes at 23,000 rows.
GRAM_ROWS = 20_000 // SHRINK
MODELS, MODEL_ROWS, MODEL_WIDTHS = 50 // min(SHRINK, 10), 5000 // SHRINK, (192, 512)
_REPEATS = 3


def textbook(A: np.ndarray, B: np.ndarray) -> float:
    """CKA of two n × n kernels in float64, centred by their means, not by two products with H."""
    kernels = []
    for Z in (A, B):
        rows = Z.astype(np.float64)
        kernel = rows @ rows.T
        means = kernel.mean(axis=0)
        kernel -= means
        kernel -= means[:, None]
        kernel += means.mean()
        kernels.append(kernel)
    K, L = kernels
    return float(np.vdot(K, L) / np.sqrt(np.vdot(K, K) * np.vdot(L, L)))


def products(models: list[np.ndarray]) -> None:
    """Make `A.T @ B` of each pair, and of each model with itself, in the type of the rows."""
    for i, A in enumerate(models):
        for B in models[i:]:
            np.matmul(A.T, B)


def run() -> dict[str, Any]:
    """Time one pair and all pairs, each several times in turn with its baseline."""
    A, B = latents(ROWS, WIDTHS[0]), latents(ROWS, WIDTHS[1])[::-1] + np.float32(0.1)
    # A share of the one in the other, so that there is something to find.
    B[:, : WIDTHS[0]] += A
    few = A[:GRAM_ROWS], B[:GRAM_ROWS]
    one = timed(
        {
            "ours_few": lambda: linear_cka(*few),
            "textbook_few": lambda: textbook(*few),
            "ours": lambda: linear_cka(A, B),
        }
    )
    seconds = one["seconds"]
    quadratic = seconds["textbook_few"] * (ROWS / GRAM_ROWS) ** 2
    error = abs(one["values"]["ours_few"] - one["values"]["textbook_few"])
    print(
        f"{GRAM_ROWS:,} rows ×{seconds['textbook_few'] / seconds['ours_few']:.1f}; "
        f"{ROWS:,} rows, textbook scaled by n², ×{quadratic / seconds['ours']:.1f}; "
        f"difference {error:.1e}"
    )
    rng = np.random.default_rng(0)
    models = [latents(MODEL_ROWS, int(d)) for d in rng.integers(*MODEL_WIDTHS, MODELS)]
    pairs = timed(
        {"all_pairs": lambda: pairwise_linear_cka(models), "products": lambda: products(models)}
    )["seconds"]
    print(f"{MODELS} models ×{pairs['all_pairs'] / pairs['products']:.2f} of their products")
    return {
        "rows": ROWS,
        "gram_rows": GRAM_ROWS,
        "widths": WIDTHS,
        "seconds": rounded(seconds),
        "seconds_textbook_scaled": round(quadratic, 2),
        "ratio_equal_rows": round(seconds["textbook_few"] / seconds["ours_few"], 1),
        "ratio_scaled": round(quadratic / seconds["ours"], 1),
        "difference": float(f"{error:.1e}"),
        "models": MODELS,
        "model_rows": MODEL_ROWS,
        "model_widths": MODEL_WIDTHS,
        "seconds_all_pairs": rounded(pairs),
        "ratio_products": round(pairs["all_pairs"] / pairs["products"], 2),
    }


def timed(ways: dict[str, Callable[[], Any]]) -> dict[str, dict[str, Any]]:
    """Return the median seconds of each way, taken in turn, and its value."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    values = {}
    for _ in range(_REPEATS):
        for name, way in ways.items():
            began = time.perf_counter()
            values[name] = way()
            times[name].append(time.perf_counter() - began)
    seconds = {name: float(np.median(each)) for name, each in times.items()}
    for name, each in seconds.items():
        print(f"{name:14} {each:8.2f} s", flush=True)
    return {"seconds": seconds, "values": values}


def rounded(seconds: dict[str, float]) -> dict[str, float]:
    return {name: round(each, 3) for name, each in seconds.items()}


if __name__ == "__main__":
    print(json.dumps(run()))
