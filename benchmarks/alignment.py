"""Alignment: a sweep of ranks against one rank, and CCA against scikit-learn's.

The sweep fits ``linear`` and transmits test rows at every rank. SEMASIA_ALIGNMENT_SCALE divides the
numbers of rows and widths, for a quick look.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.geometry import latents
from semasia.comparison.alignment import CCA, Linear

SCALE = int(os.environ.get("SEMASIA_ALIGNMENT_SCALE", "1"))
ROWS, WIDTH, TEST = 20_000 // SCALE, 512 // SCALE, 2000 // SCALE
RANKS = tuple(max(1, WIDTH * i // 12) for i in range(1, 13))
CCA_ROWS, CCA_WIDTH, COMPONENTS = 5000 // SCALE, 128 // SCALE, max(1, 20 // SCALE)


def run() -> dict[str, Any]:
    """Time each on the same rows in one process; compare the canonical correlations."""
    return {"linear": _sweep(), "cca": _cca()}


def paired(rows: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two (rows, width) float32 arrays: one a noisy linear image of the other."""
    rng = np.random.default_rng(1)
    A = latents(rows, width)
    B = A @ (rng.standard_normal((width, width)) / np.sqrt(width)).astype(np.float32)
    noise = rng.standard_normal(B.shape, dtype=np.float32)
    return A, B + 0.5 * B.std() * noise


def _sweep() -> dict[str, Any]:
    A, B = paired(ROWS + TEST, WIDTH)
    Linear().fit(A[:1000], B[:1000], [1])
    seconds: dict[str, float] = {}
    for name, ranks in (("one rank", RANKS[-1:]), ("fit of all ranks", RANKS), ("sweep", RANKS)):

        def swept(name: str = name, ranks: tuple[int, ...] = ranks) -> None:
            method = Linear().fit(A[:ROWS], B[:ROWS], ranks)
            if name != "fit of all ranks":
                for _ in method.sweep(A[ROWS:]):
                    pass

        seconds[name] = _median(swept)
        print(f"linear, {name:18} {seconds[name]:8.2f} s", flush=True)
    ratio = seconds["sweep"] / seconds["one rank"]
    print(f"{len(RANKS)} ranks cost {ratio:.2f} × one")
    return {
        "rows": ROWS,
        "width": WIDTH,
        "test_rows": TEST,
        "ranks": list(RANKS),
        "seconds": {name: round(s, 3) for name, s in seconds.items()},
        "ratio": round(ratio, 2),
    }


def _cca() -> dict[str, Any]:
    from sklearn.cross_decomposition import CCA as PEER

    A, B = paired(CCA_ROWS, CCA_WIDTH)
    # Unit variances, as scikit-learn standardises: what ours adds to variances weighs as little.
    A, B = A / A.std(axis=0), B / B.std(axis=0)
    ours = _median(lambda: CCA().fit(A, B, [COMPONENTS]))
    print(f"cca, semasia      {ours:8.3f} s", flush=True)
    with warnings.catch_warnings():
        # Its power iterations may not converge in the default number of steps.
        warnings.simplefilter("ignore")
        peer = PEER(n_components=COMPONENTS)
        began = time.perf_counter()
        x, y = peer.fit_transform(A, B)
        theirs = time.perf_counter() - began
    print(f"cca, scikit-learn {theirs:8.3f} s", flush=True)
    known = np.array([np.corrcoef(x[:, i], y[:, i])[0, 1] for i in range(COMPONENTS)])
    found = CCA().fit(A, B, [COMPONENTS]).correlations[:COMPONENTS]
    return {
        "rows": CCA_ROWS,
        "width": CCA_WIDTH,
        "components": COMPONENTS,
        "seconds": {"semasia": round(ours, 4), "scikit_learn": round(theirs, 3)},
        "ratio": round(theirs / ours, 1),
        "largest_difference_of_correlations": float(np.abs(known - found).max()),
    }


def _median(way: Callable[[], Any]) -> float:
    times = []
    for _ in range(3):
        began = time.perf_counter()
        way()
        times.append(time.perf_counter() - began)
    return float(np.median(times))
