"""Intervals of accuracies: of the binomial distribution, and covering as often as they say."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri

from semasia.geometry.probes import difference_interval, share_interval


def test_both_ends_have_half_a_step_more_than_a_tail_beyond_them() -> None:
    hits = np.repeat([1, 0], [83, 17])
    low, high = share_interval(hits)
    for share, tail in ((low, stats.binom.sf), (high, stats.binom.cdf)):
        beyond = tail(83, 100, share) if share == low else stats.binom.cdf(82, 100, share)
        assert beyond + stats.binom.pmf(83, 100, share) / 2 == pytest.approx(0.025)
    exact = stats.binomtest(83, 100).proportion_ci(method="exact")
    assert exact.low < low < 0.83 < high < exact.high


def test_where_no_row_is_wrong_the_interval_has_a_width() -> None:
    low, high = share_interval(np.ones(19, np.int64))
    assert high == 1 and low == pytest.approx(0.05 ** (1 / 19))
    assert share_interval(np.zeros(19, np.int64)) == pytest.approx((0, 1 - low))
    # As many columns as there may be: a row that is right in all counts as one.
    assert share_interval(np.full(19, 40), 40) == pytest.approx((low, 1))
    gap = difference_interval(np.zeros(19, np.int64))
    assert gap == pytest.approx((low - 1, 1 - low))


@pytest.mark.parametrize("n", [19, 100, 1000])
def test_a_share_is_covered_wherever_it_can_be(n: int) -> None:
    """Exactly, by the distribution itself: no simulation."""
    counts = np.arange(n + 1)
    ends = np.array([share_interval(np.repeat([1, 0], [k, n - k])) for k in counts])
    assert all((a < b).all() for a, b in pairwise(ends))
    for share in [*np.linspace(0.5, 0.99, 99), *(1 - np.geomspace(0.01, 0.7 / n, 20))]:
        held = (ends[:, 0] <= share) & (share <= ends[:, 1])
        covered = stats.binom.pmf(counts, n, share)[held].sum()
        # Above 98 % only where the single result of no error takes most of what is left.
        assert 0.915 < covered < max(0.996, share**n + 0.025)


@pytest.mark.parametrize("shared", [0.0, 0.3])
@pytest.mark.parametrize(("n", "share", "columns"), [(100, 0.9, 5), (300, 0.97, 40)])
def test_columns_that_err_together_are_covered(
    n: int, share: float, columns: int, shared: float
) -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(400):
        own, common = rng.standard_normal((n, columns)), rng.standard_normal((n, 1))
        right = np.sqrt(shared) * common + np.sqrt(1 - shared) * own < ndtri(share)
        low, high = share_interval(right.sum(axis=1), columns)
        covered += low <= share <= high
    assert 0.92 <= covered / 400 <= 0.995


@pytest.mark.parametrize(
    ("n", "gained", "lost"), [(100, 0.1, 0.05), (1000, 0.02, 0.02), (100, 0.3, 0.1)]
)
def test_a_paired_difference_is_covered(n: int, gained: float, lost: float) -> None:
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(600):
        u = rng.random(n)
        gain = (u < gained).astype(int) - (u > 1 - lost)
        low, high = difference_interval(gain)
        assert low <= gain.mean() <= high
        covered += low <= gained - lost <= high
    assert 0.925 <= covered / 600 <= 0.98


def test_rows_on_which_both_agree_do_not_widen_a_difference() -> None:
    gain = np.repeat([1, 0, -1], [20, 960, 20])
    low, high = difference_interval(gain)
    assert high == pytest.approx(-low)
    # The normal interval of so many discordant rows.
    assert high == pytest.approx(1.96 * np.sqrt(40) / 1000, rel=0.12)
