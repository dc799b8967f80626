"""The ten geometric metrics: one pass against textbook functions, and against one shared SVD."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from semasia.geometry import METRICS, geometric_metrics

ROWS, WIDTH = 50_000, 1280
# Memory may hold two d² matrices of float64 and a block of rows.
_MEMORY = "import tracemalloc,numpy as np;" + (
    "from semasia.geometry.metrics import metrics_of, spectrum;"
    "from semasia.geometry.moments import moments;"
    "from benchmarks.geometry import ROWS, WIDTH;"
    "r=np.random.default_rng(0);"
    "b=r.standard_normal((5000, WIDTH), dtype=np.float32);"
    "blocks=lambda:(b for _ in range(ROWS // 5000));"
    "tracemalloc.start();"
    "k=moments(blocks());metrics_of(k, spectrum(k), blocks);"
    "print(tracemalloc.get_traced_memory()[1])"
)


def latents(rows: int, width: int, mean: float = 0.0, tail: float = 1.0) -> np.ndarray:
    """Return (rows, width) float32 with the power-law spectrum that vision models have."""
    rng = np.random.default_rng(0)
    place = np.arange(1, width + 1)
    spread = np.sqrt(place**-1.1 * np.exp(-place * tail / 200))
    Z = rng.standard_normal((rows, width), dtype=np.float32)
    Z *= spread.astype(np.float32)
    # A rotation in blocks of 64 dimensions mixes directions without the cost of a full one.
    for begin in range(0, width - width % 64, 64):
        turn = np.linalg.qr(rng.standard_normal((64, 64)))[0].astype(np.float32)
        Z[:, begin : begin + 64] = Z[:, begin : begin + 64] @ turn
    return Z + np.float32(mean * spread.mean())


def from_sigma(Z: np.ndarray, sigma: np.ndarray) -> dict[str, float]:
    """Return the ten metrics from singular values, in float64."""
    n = len(Z)
    centred = Z - Z.mean(axis=0)
    distances = np.linalg.norm(centred, axis=1)
    variances = centred.var(axis=0)
    share = sigma**2 / (sigma**2).sum()
    p = sigma[sigma > 1e-7 * sigma[0]]
    p = p / p.sum()
    entropy = -(p * np.log(p)).sum()
    return {
        "total_spread": variances.sum(),
        "mean_distance_to_centroid": distances.mean(),
        "std_distance_to_centroid": distances.std(),
        "density": n / variances.sum(),
        "n_components_90": int(np.searchsorted(np.cumsum(share), 0.9 - 1e-12)) + 1,
        "evr_1": share[0],
        "evr_3": share[:3].sum(),
        "isotropy": variances.min() / variances.max(),
        "spectral_entropy": entropy,
        "effective_rank": np.exp(entropy),
    }


def shared_svd(Z: np.ndarray) -> dict[str, float]:
    """One SVD (values only) of the centred matrix, all metrics from it."""
    rows = Z.astype(np.float64)
    return from_sigma(rows, np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False))


def _spread(rows: np.ndarray) -> float:
    return float(np.trace(np.cov(rows, rowvar=False, bias=True)))


def _distances(rows: np.ndarray) -> np.ndarray:
    return np.linalg.norm(rows - rows.mean(axis=0), axis=1)


def _ratios(rows: np.ndarray) -> np.ndarray:
    from sklearn.decomposition import PCA

    return PCA().fit(rows).explained_variance_ratio_


def _isotropy(rows: np.ndarray) -> float:
    variances = rows.var(axis=0)
    return variances.min() / variances.max()


def _entropy(rows: np.ndarray) -> float:
    sigma = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)
    p = sigma[sigma > 1e-7 * sigma[0]]
    p = p / p.sum()
    return float(-(p * np.log(p)).sum())


def _components(ratios: np.ndarray) -> int:
    return int(np.searchsorted(np.cumsum(ratios), 0.9 - 1e-12)) + 1


def per_metric(Z: np.ndarray) -> dict[str, float]:
    """Each metric by the library function that its definition names, called for it alone."""
    rows = Z.astype(np.float64)
    return {
        "total_spread": _spread(rows),
        "mean_distance_to_centroid": _distances(rows).mean(),
        "std_distance_to_centroid": _distances(rows).std(),
        "density": len(rows) / _spread(rows),
        "n_components_90": _components(_ratios(rows)),
        "evr_1": _ratios(rows)[0],
        "evr_3": _ratios(rows)[:3].sum(),
        "isotropy": _isotropy(rows),
        "spectral_entropy": _entropy(rows),
        "effective_rank": np.exp(_entropy(rows)),
    }


def each_once(Z: np.ndarray) -> dict[str, float]:
    """The same functions, each called once: covariance, distances, PCA, SVD."""
    rows = Z.astype(np.float64)
    spread, distances = _spread(rows), _distances(rows)
    ratios, entropy = _ratios(rows), _entropy(rows)
    return {
        "total_spread": spread,
        "mean_distance_to_centroid": distances.mean(),
        "std_distance_to_centroid": distances.std(),
        "density": len(rows) / spread,
        "n_components_90": _components(ratios),
        "evr_1": ratios[0],
        "evr_3": ratios[:3].sum(),
        "isotropy": _isotropy(rows),
        "spectral_entropy": entropy,
        "effective_rank": np.exp(entropy),
    }


# Small enough for a float64 SVD each; the largest error per metric is kept.
ACCURACY = {
    "power law": lambda: latents(4000, 512),
    "mean 1,000 times the spread": lambda: latents(4000, 512, mean=1000),
    "steep": lambda: latents(4000, 512, tail=4.0),
    "n < d": lambda: latents(300, 512),
    "rank 3": lambda: (latents(4000, 3) @ latents(3, 512)).astype(np.float32),
}


# Those that a busy moment would weigh most are timed in turns, and the median counts.
_TURNS = {"semasia": 9, "shared_svd": 3, "each_once": 1, "per_metric": 1}


def run() -> dict[str, Any]:
    """Time the four ways on the same rows in one process, and compare values and memory."""
    Z = latents(ROWS, WIDTH)
    ways: dict[str, Callable[[np.ndarray], dict[str, float]]] = {
        "semasia": geometric_metrics,
        "shared_svd": shared_svd,
        "each_once": each_once,
        "per_metric": per_metric,
    }
    geometric_metrics(Z[:2000])
    times: dict[str, list[float]] = {name: [] for name in ways}
    values = {}
    for turn in range(max(_TURNS.values())):
        for name, way in ways.items():
            # Three of ours to one of theirs, and so on.
            if turn % (max(_TURNS.values()) // _TURNS[name]):
                continue
            began = time.perf_counter()
            values[name] = way(Z)
            times[name].append(time.perf_counter() - began)
            print(f"{name:12} {times[name][-1]:8.2f} s", flush=True)
    seconds = {name: round(float(np.median(t)), 2) for name, t in times.items()}
    errors = {"timed": _errors(values["semasia"], values["shared_svd"])}
    for name, make in ACCURACY.items():
        small = make()
        errors[name] = _errors(geometric_metrics(small), shared_svd(small))
    for name, each in errors.items():
        print(f"{name:28} largest relative error {max(each.values()):.1e}")
    peak = int(
        subprocess.run(
            [sys.executable, "-c", _MEMORY], capture_output=True, text=True, check=True
        ).stdout
    )
    print(f"peak {peak / 2**20:.1f} MiB; 2 d² is {2 * WIDTH**2 * 8 / 2**20:.1f} MiB")
    return {
        "rows": ROWS,
        "width": WIDTH,
        "seconds": seconds,
        "ratios": {
            name: round(seconds[name] / seconds["semasia"], 1) for name in ways if name != "semasia"
        },
        "peak_bytes": peak,
        "two_d2_bytes": 2 * WIDTH**2 * 8,
        "relative_errors": errors,
    }


def _errors(found: dict[str, float], known: dict[str, float]) -> dict[str, float]:
    return {
        m: float(f"{abs(found[m] - known[m]) / max(abs(known[m]), 1e-300):.1e}") for m in METRICS
    }


if __name__ == "__main__":
    print(json.dumps(run()))
