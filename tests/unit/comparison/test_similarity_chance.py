"""What unrelated spaces reach: equal to the mean over permutations of rows."""

from __future__ import annotations

import numpy as np
import pytest

from semasia.comparison.similarity import compare, summarise
from semasia.comparison.similarity.chance import correlation_chance

# Of the mean of 60 permutations, in units of its standard error; and what a limit law may be off.
_ERRORS, _LIMIT = 4, 0.01


@pytest.mark.parametrize(("n", "a", "b"), [(90, 12, 20), (60, 40, 30), (50, 80, 9)])
def test_chance_is_the_mean_over_permutations(
    n: int, a: int, b: int, rng: np.random.Generator
) -> None:
    A = rng.standard_normal((n, a)) * np.linspace(1, 0.2, a) + 3
    B = A[:, :1] + rng.standard_normal((n, b)) * np.linspace(1, 0.5, b)
    stated = {(s.measure, s.parameter): s for s in compare(summarise(A), summarise(B))}
    permuted: dict[tuple, list[float]] = {key: [] for key in stated}
    for _ in range(60):
        for s in compare(summarise(A), summarise(B[rng.permutation(n)])):
            if s.value is not None:
                permuted[s.measure, s.parameter].append(s.value)
    without = {"procrustes_distance", "isotropy_delta", "isotropy_spectral_delta"}
    for key, s in stated.items():
        if s.value is None:
            continue
        assert (s.chance is None) == (s.measure in without), key
        if s.chance is not None:
            values = np.array(permuted[key])
            error = values.std(ddof=1) / np.sqrt(60)
            limit = _LIMIT if "cca" in s.measure else 1e-9
            assert s.chance == pytest.approx(values.mean(), abs=_ERRORS * error + limit), key


@pytest.mark.parametrize(
    ("rows", "a", "b", "known"),
    # Where both fill all rows; where one does; where they must meet in a part.
    [(50, 49, 49, 1.0), (50, 49, 3, 1.0), (101, 80, 60, None), (101, 30, 20, None)],
)
def test_canonical_correlations_of_unrelated_subspaces(
    rows: int, a: int, b: int, known: float | None
) -> None:
    found = correlation_chance(rows, a, b)
    assert found == pytest.approx(correlation_chance(rows, b, a))
    if known is not None:
        assert found == known
        return
    rng = np.random.default_rng(5)
    means = []
    for _ in range(50):
        Q, R = (np.linalg.qr(rng.standard_normal((rows - 1, d)))[0] for d in (a, b))
        means.append(np.linalg.svd(Q.T @ R, compute_uv=False).clip(0, 1).mean())
    assert found == pytest.approx(np.mean(means), abs=0.005)


def test_values_that_shape_explains_have_a_note(rng: np.random.Generator) -> None:
    A, B = rng.standard_normal((2, 120, 200))
    few = {(s.measure, s.parameter): s.note for s in compare(summarise(A), summarise(B))}
    assert few["pwcca", "weights=a"] == (
        "decided by shape: unrelated spaces of these ranks reach 1 at 120 rows, too."
    )
    assert "unrelated spaces of these shapes reach 0.9" in str(few["svcca", "variance=0.99"])
    assert few["unbiased_linear_cka", None] is None
    A, B = rng.standard_normal((2, 3000, 4))
    many = [s for s in compare(summarise(A), summarise(B)) if s.note is not None]
    assert {s.measure for s in many} <= {"isotropy_delta", "kernel_cka", "subspace_overlap"}
