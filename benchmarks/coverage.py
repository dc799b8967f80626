"""How often 95 % intervals hold what they are of, and p-values of nothing are small: simulations.

Of neighbour measures, of linear CKA under both samplings and orders of rows, of accuracies and
their gaps, of SVCCA and PWCCA against many rows, and of likelihood ratios of few models.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import polars as pl
from scipy import stats
from scipy.special import ndtri

from semasia.comparison.similarity import compare, jackknife_blocks, summarise, svcca
from semasia.comparison.similarity.factors import pwcca
from semasia.geometry.probes import difference_interval, share_interval
from semasia.registry.location import registry_folder
from semasia.registry.selection import read_registry
from semasia.statistics import likelihood_ratio_table
from semasia.statistics.likelihood_ratio import PREDICTORS

_WIDTH, _CLASSES = 16, 10
_MIX = np.random.default_rng(0).standard_normal((_WIDTH, _WIDTH))
_CENTRES = np.random.default_rng(5).standard_normal((_CLASSES, _WIDTH)) * 2
Rows = list[dict[str, Any]]


def run() -> dict[str, Any]:
    """Run every simulation; each is seeded."""
    parts: dict[str, Callable[[], Rows]] = {
        "neighbours": neighbours,
        "sampling": sampling,
        "accuracies": accuracies,
        "canonical": canonical,
        "likelihood_ratios": likelihood_ratios,
    }
    found = {}
    for name, part in parts.items():
        began = time.perf_counter()
        found[name] = part()
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
        for row in found[name]:
            print("   ", row, flush=True)
    return found


def _pair(rng: np.random.Generator, labels: np.ndarray | None, n: int) -> list[np.ndarray]:
    A = rng.standard_normal((n, _WIDTH)) * np.linspace(2, 0.3, _WIDTH)
    if labels is not None:
        A += _CENTRES[labels]
    return [A, A @ _MIX / 3 + 0.6 * rng.standard_normal((n, _WIDTH))]


def _covered(found: list[tuple]) -> dict[str, float]:
    """Return how often intervals hold the mean of the values, and how wide they are."""
    values, low, high = np.array(found, float).T
    held = (low <= values.mean()) & (values.mean() <= high)
    width = (high - low).mean() / (2 * 1.96 * values.std(ddof=1))
    return {"covered": round(100 * float(held.mean()), 1), "width": round(float(width), 2)}


def neighbours() -> Rows:
    """Of the mean at this number of rows, which is what the interval is of."""
    names = ["nps_cosine", "nps_euclidean", "neighbour_jaccard_euclidean"]
    rows = []
    for (n, repeats), classes in product(((200, 500), (1000, 200)), (False, True)):
        found: dict[tuple, list[tuple]] = {}
        for seed in range(repeats):
            rng = np.random.default_rng([1, n, seed])
            labels = rng.integers(0, _CLASSES, n) if classes else None
            one, other = (summarise(Z, names) for Z in _pair(rng, labels, n))
            for s in compare(one, other, intervals=True):
                key = (s.measure, s.parameter)
                found.setdefault(key, []).append((s.value, s.low, s.high))
        for (measure, parameter), values in found.items():
            row = {"rows": n, "classes": classes, "measure": measure, "parameter": parameter}
            rows.append(row | {"repeats": repeats} | _covered(values))
    return rows


def sampling() -> Rows:
    """Linear CKA: what is meant, and in which order rows stand."""
    n, repeats, rows = 400, 600, []
    for meant, order in product(("rows", "classes"), ("random", "sorted by class")):
        found = []
        for seed in range(repeats):
            rng = np.random.default_rng([2, seed])
            labels = rng.integers(0, _CLASSES, n)
            if meant == "classes":
                labels = rng.permutation(np.repeat(np.arange(_CLASSES), n // _CLASSES))
            labels = np.sort(labels) if order != "random" else labels
            ids = rng.choice(2**31, n, replace=False).astype(np.uint32)
            blocks = jackknife_blocks(ids, labels if meant == "classes" else None)
            pair = _pair(rng, labels, n)
            one, other = (summarise(Z, ["linear_cka"], blocks) for Z in pair)
            [s] = compare(one, other, intervals=True)
            found.append((s.value, s.low, s.high))
        row = {"sampling": meant, "order": order, "rows": n, "repeats": repeats}
        rows.append(row | _covered(found))
    return rows


def accuracies() -> Rows:
    """Shares of rows, means over label columns that err together or not, and paired gaps."""
    rows = []
    repeats = 2000
    for n, share in product((19, 100, 1000), (0.5, 0.9, 0.95, 0.99, 0.999)):
        counts = np.arange(n + 1)
        ends = np.array([share_interval(np.repeat([1, 0], [k, n - k])) for k in counts])
        held = (ends[:, 0] <= share) & (share <= ends[:, 1])
        covered = stats.binom.pmf(counts, n, share)[held].sum()
        rows.append(_accuracy("one column", n, share, covered))
    for columns, n, share, shared in product((5, 40), (100, 1000), (0.9, 0.99), (0.0, 0.3)):
        rng = np.random.default_rng([3, columns, n])
        held = 0
        for _ in range(repeats // 2):
            own, common = rng.standard_normal((n, columns)), rng.standard_normal((n, 1))
            right = np.sqrt(shared) * common + np.sqrt(1 - shared) * own < ndtri(share)
            low, high = share_interval(right.sum(axis=1), columns)
            held += low <= share <= high
        kind = f"{columns} columns, correlation {shared}"
        rows.append(_accuracy(kind, n, share, 2 * held / repeats))
    for n, (gained, lost) in product((100, 1000), ((0.1, 0.05), (0.02, 0.02), (0.3, 0.1))):
        rng = np.random.default_rng([4, n])
        held = 0
        for _ in range(repeats):
            u = rng.random(n)
            low, high = difference_interval((u < gained).astype(int) - (u > 1 - lost))
            held += low <= gained - lost <= high
        rows.append(
            _accuracy(f"gap, {gained} gained, {lost} lost", n, gained - lost, held / repeats)
        )
    return rows


def _accuracy(kind: str, n: int, truth: float, covered: float) -> dict[str, Any]:
    return {"kind": kind, "rows": n, "truth": truth, "covered": round(100 * float(covered), 1)}


def canonical() -> Rows:
    """SVCCA and PWCCA: of the mean at this number of rows, and of the value of very many."""
    hidden = np.linspace(2, 0.2, 30)
    maps = [np.random.default_rng(i).standard_normal((30, d)) for i, d in ((1, 40), (2, 30))]

    def pair(rng: np.random.Generator, n: int) -> list[np.ndarray]:
        H = rng.standard_normal((n, 30)) * hidden
        return [H @ W + 2.0 * rng.standard_normal((n, W.shape[1])) for W in maps]

    many = pair(np.random.default_rng(9), 60_000)
    known = {("svcca", "variance=0.99"): svcca(*many), ("pwcca", "weights=a"): pwcca(*many)}
    rows = []
    for n, repeats in ((200, 200), (1000, 100)):
        found: dict[tuple, list[tuple]] = {key: [] for key in known}
        for seed in range(repeats):
            made = pair(np.random.default_rng(seed), n)
            one, other = (summarise(Z, ["svcca", "pwcca"]) for Z in made)
            for s in compare(one, other, intervals=True):
                if (s.measure, s.parameter) in found:
                    values = (s.value, s.low, s.high, s.bias, s.chance)
                    found[s.measure, s.parameter].append(values)
        for (measure, parameter), values in found.items():
            value, low, high, bias, chance = np.array(values, float).T
            truth = known[measure, parameter]
            rows.append(
                {
                    "measure": measure,
                    "rows": n,
                    "mean": round(float(value.mean()), 3),
                    "many_rows": round(float(truth), 3),
                    "less_bias": round(float((value - bias).mean()), 3),
                    "chance": round(float(chance.mean()), 3),
                    **_covered(list(zip(value, low, high, strict=True))),
                    "covers_many_rows": round(
                        100 * float(((low <= truth) & (truth <= high)).mean()), 1
                    ),
                }
            )
    return rows


def likelihood_ratios() -> Rows:
    """Signatures of noise, beside the real families, widths and parameters of models."""
    registry = read_registry(registry_folder())
    registry = registry.filter(~pl.col("untrained"), pl.col("macro_family") != "Other")
    signatures = [p for p in PREDICTORS if p not in ("latent_dim", "num_parameters")]
    rows = []
    for n, repeats in ((60, 60), (100, 60), (200, 40), (400, 40)):
        p, chi2, separated, failed = [], [], 0, 0
        for seed in range(repeats):
            rng = np.random.default_rng([6, n, seed])
            models = registry.sample(n, seed=seed).sort("model_name")
            noise = {s: rng.standard_normal(n) for s in signatures}
            graphs = pl.DataFrame(
                {
                    "benchmark": "b",
                    "split": "t",
                    "recipe": "own",
                    "model_name": models["model_name"],
                }
                | noise
            )
            table = likelihood_ratio_table(graphs, models)
            separated += bool(table["separated"][0])
            failed += int((~table["converged"].fill_null(True)).sum())
            tested = table.filter(
                pl.col("predictor").is_in(signatures), pl.col("p_value").is_not_null()
            )
            p += tested["p_value"].to_list()
            chi2 += tested["p_chi2"].to_list()
        sizes = {
            f"{name}_{level}": round(100 * float(np.mean(np.array(values) <= level)), 1)
            for name, values in (("p", p), ("chi2", chi2))
            for level in (0.05, 0.01)
        }
        counted = {"tests": len(p), "separated": separated, "not_converged": failed}
        rows.append({"models": n, "repeats": repeats, **counted, **sizes})
    return rows
