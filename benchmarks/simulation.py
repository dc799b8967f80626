"""Planted effects over the real models and contrasts: bias, coverage, false discoveries.

Not a measure of speed: a check that intervals and q-values hold what they promise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from scipy import sparse, special

from semasia.registry.location import registry_folder
from semasia.registry.selection import read_registry
from semasia.statistics.conditions import CONDITIONS, PAPER_BENCHMARKS, VARIANTS
from semasia.statistics.estimation import KINDS, Fit
from semasia.statistics.multiplicity import q_values
from semasia.statistics.pairing import contrasts_of_set
from semasia.statistics.regression import LEVEL
from semasia.statistics.specifications import TREATMENT, design_of
from semasia.statistics.stacking import METRICS, stacked

SEED = 20260510
REPLICATIONS = 2000
FDR_REPLICATIONS = 400
# Replications at once, for memory.
CHUNK = 20
# Standard deviations of what a model, its network and one benchmark add to a metric.
SCENARIOS = {
    "models differ": {"model": 1.0, "network": 0.0, "noise": 0.5},
    "networks differ too": {"model": 0.7, "network": 0.7, "noise": 0.5},
}
# Effect of being treated everywhere; of a tenfold number of parameters for model scale.
EFFECT = 0.5
CV1 = "by_model_cv1"


class Condition:
    """One condition's design, prepared for many outcomes at once."""

    def __init__(self, pairs: pl.DataFrame, parameters: dict[str, float], *, scale: bool) -> None:
        names = sorted({*pairs["control_model"], *pairs["treatment_model"]})
        grid = pl.DataFrame({"model_name": names}).join(
            pl.DataFrame({"benchmark": list(PAPER_BENCHMARKS)}), how="cross"
        )
        blank = grid.with_columns(pl.lit(0.0).alias(m) for m in METRICS)
        rows = stacked(blank, pairs)
        self.design = design_of(rows)
        self.place = self.design.terms.index(TREATMENT)
        models = {name: i for i, name in enumerate(names)}
        networks = sorted({name.split(".")[0] for name in names})
        self.network_of = np.array([networks.index(name.split(".")[0]) for name in names])
        self.networks = len(networks)
        self.model_of_row = np.array([models[m] for m in rows["model_name"]])
        self.benchmark_of_row = np.array([PAPER_BENCHMARKS.index(b) for b in rows["benchmark"]])
        treated = rows["treated"].to_numpy().astype(float)
        if scale:
            self.dose = np.log10([parameters[name] for name in names])
        else:
            times = np.bincount(self.model_of_row)
            self.dose = np.bincount(self.model_of_row, treated) / times
        given = self.dose[self.model_of_row]
        # Families and datasets are balanced, so β is the mean difference within pairs.
        self.truth = EFFECT * float(given[treated == 1].mean() - given[treated == 0].mean())
        self.pairs, self.models = len(pairs), len(names)
        left = 1 - self.design.leverages
        self._hc3 = (self.design.projector[self.place] / left) ** 2
        self._changes = {
            kind: self._functional(jackknife) for kind, jackknife in self.design.jackknives.items()
        }
        members = sparse.csr_matrix(
            (self.design.projector[self.place], (self.model_of_row, np.arange(len(treated))))
        )
        n, k = self.design.X.shape
        groups = self.models
        self._scores = members * np.sqrt(groups / (groups - 1) * (n - 1) / (n - k))

    def _functional(self, jackknife: Any) -> Any:
        rows, columns, values = [], [], []
        for group, (members, place, change) in enumerate(jackknife.operators):
            rows += [group] * len(members)
            columns += members.tolist()
            values += change[self.place][place].tolist()
        groups = jackknife.groups
        matrix = sparse.csr_matrix((values, (rows, columns)))
        return matrix * np.sqrt((groups - 1) / groups)

    def outcomes(self, rng: np.random.Generator, scenario: dict[str, float], count: int) -> Any:
        """Return (n, count) outcomes without any effect."""
        model = rng.normal(size=(self.models, count)) * scenario["model"]
        network = rng.normal(size=(self.networks, count)) * scenario["network"]
        size = (self.models, len(PAPER_BENCHMARKS), count)
        values = (model + network[self.network_of])[:, None] + (
            rng.normal(size=size) * scenario["noise"]
        )
        return values[self.model_of_row, self.benchmark_of_row]

    def planted(self, Y: np.ndarray) -> np.ndarray:
        """Return the outcomes with the effect added."""
        return Y + EFFECT * self.dose[self.model_of_row][:, None]

    def inference(self, Y: np.ndarray) -> tuple[np.ndarray, dict[str, tuple[np.ndarray, float]]]:
        """Return β̂ of every outcome, and of every kind its standard errors and degrees."""
        coefficients = self.design.projector @ Y
        residuals = Y - self.design.X @ coefficients
        found = {"hc3": (np.sqrt(self._hc3 @ residuals**2), np.inf)}
        for kind, matrix in self._changes.items():
            changes = matrix @ residuals
            degrees = self.design.jackknives[kind].groups - 1
            found[kind] = (np.sqrt((changes**2).sum(axis=0)), degrees)
        found[CV1] = (np.sqrt(((self._scores @ residuals) ** 2).sum(axis=0)), self.models - 1)
        return coefficients[self.place], found


def conditions_of(
    pairs: pl.DataFrame, registry: pl.DataFrame, variant: str
) -> dict[str, Condition]:
    """Return the prepared conditions of a variant."""
    known = registry.select("model_name", "num_backbone_parameters").drop_nulls().rows()
    made = {}
    for condition in CONDITIONS:
        part = pairs.filter(pl.col("variant") == variant, pl.col("condition") == condition)
        made[condition] = Condition(part, dict(known), scale=condition == "model_scale")
    return made


def coverage(condition: Condition, scenario: dict[str, float], seed: int, count: int) -> dict:
    """Return bias and coverage of 95 % intervals over ``count`` replications."""
    rng = np.random.default_rng(seed)
    Y = condition.planted(condition.outcomes(rng, scenario, count))
    estimates, errors = condition.inference(Y)
    _check_against_package(condition, Y[:, 0], estimates[0], errors)
    spread = float(estimates.std(ddof=1))
    row: dict[str, Any] = {
        "truth": round(condition.truth, 4),
        "bias": round(float(estimates.mean()) - condition.truth, 4),
        "bias_monte_carlo_se": round(float(spread / np.sqrt(count)), 4),
    }
    for kind, (se, degrees) in errors.items():
        half = se * (special.ndtri(0.975) if np.isinf(degrees) else special.stdtrit(degrees, 0.975))
        row[f"coverage_{kind}"] = round(float((abs(estimates - condition.truth) <= half).mean()), 4)
        row[f"se_over_sd_{kind}"] = round(float(se.mean()) / spread, 3)
    return row


def discoveries(
    conditions: dict[str, Condition], scenario: dict[str, float], share: float, count: int
) -> dict[str, float]:
    """Return the false-discovery rate over metrics × conditions at level 0.05, of every kind.

    The metrics of a model, as many as are regressed, are correlated by half. In the first ``share``
    of the metrics every condition has an effect.
    """
    rng = np.random.default_rng(SEED + 1)
    true = int(share * len(METRICS))
    p_values: dict[str, list] = {kind: [] for kind in (*KINDS, CV1)}
    for condition in conditions.values():
        parts: dict[str, list] = {kind: [] for kind in p_values}
        for _ in range(count // CHUNK):
            shape = (len(condition.model_of_row), CHUNK, len(METRICS))
            common = condition.outcomes(rng, scenario, CHUNK)[:, :, None]
            own = condition.outcomes(rng, scenario, CHUNK * len(METRICS)).reshape(shape)
            Y = np.sqrt(0.5) * common + np.sqrt(0.5) * own
            Y[:, :, :true] += EFFECT * condition.dose[condition.model_of_row][:, None, None]
            estimates, errors = condition.inference(Y.reshape(len(Y), -1))
            for kind, (se, degrees) in errors.items():
                ratio = -abs(estimates) / se
                p = special.ndtr(ratio) if np.isinf(degrees) else special.stdtr(degrees, ratio)
                parts[kind].append(2 * p.reshape(CHUNK, len(METRICS)))
        for kind, chunks in parts.items():
            p_values[kind].append(np.concatenate(chunks))
    found = {}
    q_of = {
        (kind, method): np.array(
            [
                np.array(q_values(one.ravel().tolist(), method), dtype=float).reshape(one.shape)
                for one in np.stack(parts, axis=1)
            ]
        )
        for kind, parts in p_values.items()
        for method in ("bh", "by")
    }
    # What the column `survives` asks for.
    q_of["both", "bh"] = np.maximum(q_of["by_model", "bh"], q_of["by_network", "bh"])
    for (kind, method), q in q_of.items():
        kept = q <= LEVEL
        false, all_kept = kept[:, :, true:].sum(axis=(1, 2)), kept.sum(axis=(1, 2))
        found[f"{kind}_{method}"] = round(float(np.mean(false / np.maximum(all_kept, 1))), 4)
    return found


def _check_against_package(
    condition: Condition, y: np.ndarray, estimate: float, errors: Any
) -> None:
    fit = Fit(condition.design, y)
    assert np.isclose(fit.coefficients[condition.place], estimate)
    for kind in KINDS:
        assert np.isclose(fit.inference(TREATMENT, kind).se or 0, errors[kind][0][0]), kind


def run() -> dict[str, Any]:
    """Simulate all conditions of both variants."""
    folder = registry_folder()
    pairs, registry = contrasts_of_set(folder), read_registry(folder)
    covered, rates = [], []
    for variant in VARIANTS:
        conditions = conditions_of(pairs, registry, variant)
        for name, scenario in SCENARIOS.items():
            for place, (condition, prepared) in enumerate(conditions.items()):
                count = REPLICATIONS if condition != "model_scale" else REPLICATIONS // 2
                row = coverage(prepared, scenario, SEED + 10 * place, count)
                key = {"variant": variant, "condition": condition, "scenario": name}
                sizes = {"pairs": prepared.pairs, "models": prepared.models}
                covered.append({**key, **sizes, "networks": prepared.networks, **row})
                print(covered[-1], flush=True)
        for name, scenario in SCENARIOS.items():
            for share in (0.0, 0.5):
                found = discoveries(conditions, scenario, share, FDR_REPLICATIONS)
                rates.append({"variant": variant, "scenario": name, "true_share": share, **found})
                print(rates[-1], flush=True)
    return {
        "seed": SEED,
        "replications": REPLICATIONS,
        "fdr_replications": FDR_REPLICATIONS,
        "metrics": len(METRICS),
        "effect": EFFECT,
        "scenarios": SCENARIOS,
        "coverage": covered,
        "false_discovery_rate": rates,
    }
