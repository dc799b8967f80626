"""The strong probe against scikit-learn's LogisticRegressionCV: same rows, grid and folds.

The grid is the first five values of the probe's own, as the baseline takes minutes. Rows have a
mean variance of one: the baseline's tolerance, its default, depends on their scale, and far from
one it stops points of accuracy away from the optimum. Ours does not depend on it.
"""

from __future__ import annotations

import os
import time
import warnings
from typing import Any

import numpy as np

from benchmarks.geometry import latents
from semasia.geometry.probes.fitting import FOLDS, GRID, SEED, fit_strong

ROWS = int(os.environ.get("SEMASIA_PROBE_ROWS", "50000"))
WIDTH, CLASSES, TEST = 768, 10, 5000
_TOLERANCE = 1e-4


def run() -> dict[str, Any]:
    """Time both once on the same rows; compare accuracy on rows that neither has seen."""
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.model_selection import StratifiedKFold

    rng = np.random.default_rng(1)
    Z = latents(ROWS + TEST, WIDTH)
    y = rng.integers(0, CLASSES, len(Z))
    # Class means spread as the rows are, a little apart: neither probe is near 0 or 1.
    Z += (rng.standard_normal((CLASSES, WIDTH)) * 0.12 * Z.std(axis=0)).astype(np.float32)[y]
    # Ours does not depend on the scale of rows; the baseline's tolerance does.
    Z /= np.sqrt(Z[:ROWS].var(axis=0).mean())
    grid = [g / float(Z[:ROWS].var(axis=0).mean()) for g in GRID[:5]]
    began = time.perf_counter()
    probe = fit_strong(Z[:ROWS], {"label": y[:ROWS]}, {"label": CLASSES}, grid=grid)
    ours = time.perf_counter() - began
    accuracy = float((probe.predict(Z[ROWS:])["label"] == y[ROWS:]).mean())
    print(f"semasia      {ours:8.2f} s  {accuracy:.4f}  C = {probe.C['label']:.4g}", flush=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
        # The annotation of Cs lacks the list that its documentation allows.
        options: dict[str, Any] = {"Cs": grid, "cv": splitter, "tol": _TOLERANCE}
        peer = LogisticRegressionCV(**options, max_iter=2000)
        began = time.perf_counter()
        peer.fit(Z[:ROWS], y[:ROWS])
        theirs = time.perf_counter() - began
    known = float(peer.score(Z[ROWS:], y[ROWS:]))
    chosen = float(np.ravel(peer.C_)[0])
    print(f"scikit-learn {theirs:8.2f} s  {known:.4f}  C = {chosen:.4g}", flush=True)
    return {
        "rows": ROWS,
        "width": WIDTH,
        "classes": CLASSES,
        "folds": FOLDS,
        "grid": grid,
        "baseline_tolerance": _TOLERANCE,
        "seconds": {"semasia": round(ours, 2), "scikit_learn": round(theirs, 2)},
        "ratio": round(theirs / ours, 2),
        "accuracy": {"semasia": accuracy, "scikit_learn": known},
        "C": {"semasia": probe.C["label"], "scikit_learn": chosen},
    }
