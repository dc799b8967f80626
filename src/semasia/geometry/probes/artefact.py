"""The probe artefact: what the configuration of a probe does to its accuracy, latents being equal.

Geometric drift paper, section 6: 28.5 points between weak and strong on Banking77 (77 classes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

ARTEFACT_COLUMNS = (
    "benchmark",
    "split",
    "model_name",
    "untrained",
    "classes",
    "test_rows",
    "weak_fit_rows",
    "weak_accuracy",
    "weak_low",
    "weak_high",
    "strong_fit_rows",
    "strong_accuracy",
    "strong_low",
    "strong_high",
    "swing_points",
    "swing_low",
    "swing_high",
)
_KEYS = ["benchmark", "split", "model_name", "untrained", "classes", "test_rows"]


def probe_artefact(probes: pl.DataFrame) -> pl.DataFrame:
    """Return the accuracies of weak and strong probe side by side, and the swing between them.

    Parameters
    ----------
    probes : DataFrame
        The probes table.

    Returns
    -------
    DataFrame
        A row per shard that both probes scored, columns :data:`ARTEFACT_COLUMNS`. The swing is
        strong minus weak in points, its 95 % interval over the same test rows, paired.
    """
    import polars as pl

    scored = probes.filter(pl.col("accuracy").is_not_null())
    sides = []
    for probe in ("weak", "strong"):
        own = {c: f"{probe}_{c}" for c in ("fit_rows", "accuracy", "low", "high")}
        extra = {"over_weak": "swing", "over_weak_low": "s_low", "over_weak_high": "s_high"}
        kept = own | (extra if probe == "strong" else {})
        sides.append(
            scored.filter(pl.col("probe") == probe).select(
                *_KEYS, *(pl.col(a).alias(b) for a, b in kept.items())
            )
        )
    both = sides[0].join(sides[1], on=_KEYS, nulls_equal=True)
    return (
        both.with_columns(
            swing_points=100 * pl.col("swing"),
            swing_low=100 * pl.col("s_low"),
            swing_high=100 * pl.col("s_high"),
        )
        .select(ARTEFACT_COLUMNS)
        .sort("benchmark", "split", "model_name")
    )
