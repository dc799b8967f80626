"""The ten metrics against their textbook definitions, and their invariances."""

from __future__ import annotations

import importlib
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from semasia.errors import DegenerateEmbeddingError
from semasia.geometry import METRICS, geometric_metrics, moments
from semasia.geometry.lanes import two_at_a_time
from semasia.geometry.metrics import metrics_of, spectrum
from semasia.geometry.moments import squared_distances

# The package's name `moments` is the function.
sums = importlib.import_module("semasia.geometry.moments")


def textbook(Z: np.ndarray) -> dict[str, float]:
    """The formulas of Appendix F.1, written down one by one."""
    Z = Z.astype(np.float64)
    n = len(Z)
    centre = Z.mean(axis=0)
    distances = np.linalg.norm(Z - centre, axis=1)
    variances = Z.var(axis=0)
    sigma = np.linalg.svd(Z - centre, compute_uv=False)
    shares = sigma**2 / (sigma**2).sum()
    p = sigma / sigma.sum()
    p = p[p > 1e-9]
    entropy = -(p * np.log(p)).sum()
    return {
        "total_spread": variances.sum(),
        "mean_distance_to_centroid": distances.mean(),
        "std_distance_to_centroid": distances.std(),
        "density": n / variances.sum(),
        "n_components_90": next(k for k in range(1, n + 2) if shares[:k].sum() >= 0.9 - 1e-12),
        "evr_1": shares[0],
        "evr_3": shares[:3].sum(),
        "isotropy": variances.min() / variances.max(),
        "spectral_entropy": entropy,
        "effective_rank": np.exp(entropy),
    }


CASES = {
    "tall": lambda r: r.standard_normal((500, 40)) * np.linspace(0.1, 3, 40),
    "wide": lambda r: r.standard_normal((30, 200)),
    "float32": lambda r: r.standard_normal((300, 64)).astype(np.float32),
    "far from the origin": lambda r: r.standard_normal((400, 32)) + 1000,
    "a dead dimension": lambda r: np.pad(r.standard_normal((200, 20)), ((0, 0), (0, 3))),
    "rank three": lambda r: r.standard_normal((200, 3)) @ r.standard_normal((3, 50)),
    "one dimension": lambda r: r.standard_normal((50, 1)),
    "two rows": lambda r: r.standard_normal((2, 10)),
    "integers": lambda r: r.integers(0, 9, (100, 7)),
}


@pytest.mark.parametrize("case", CASES)
def test_equals_the_textbook(case: str, rng: np.random.Generator) -> None:
    Z = CASES[case](rng)
    found, expected = geometric_metrics(Z), textbook(Z)
    assert tuple(found) == METRICS
    for name in METRICS:
        assert found[name] == pytest.approx(expected[name], rel=1e-6, abs=1e-9), name


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100), st.floats(-50, 50))
def test_invariances(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((60, 8)) * np.linspace(0.5, 2, 8)
    rotation = np.linalg.qr(rng.standard_normal((8, 8)))[0]
    base = geometric_metrics(Z)
    moved = geometric_metrics(Z[rng.permutation(60)] + shift)
    for name in METRICS:
        assert moved[name] == pytest.approx(base[name], rel=1e-6, abs=1e-9), name
    turned = geometric_metrics(Z @ rotation)
    for name in set(METRICS) - {"isotropy"}:
        assert turned[name] == pytest.approx(base[name], rel=1e-6), name
    power = {
        "total_spread": 2, "density": -2,
        "mean_distance_to_centroid": 1, "std_distance_to_centroid": 1,
    }  # fmt: skip
    scaled = geometric_metrics(scale * Z)
    for name in METRICS:
        factor = scale ** power.get(name, 0)
        assert scaled[name] == pytest.approx(factor * base[name], rel=1e-6), name


def test_identities(rng: np.random.Generator) -> None:
    found = geometric_metrics(rng.standard_normal((300, 20)))
    squares = found["mean_distance_to_centroid"] ** 2 + found["std_distance_to_centroid"] ** 2
    assert squares == pytest.approx(found["total_spread"])
    assert 1 <= found["effective_rank"] <= 20
    equal = geometric_metrics(np.concatenate([np.eye(6), -np.eye(6)]))
    assert equal["effective_rank"] == pytest.approx(6)
    assert equal["isotropy"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("Z", "message"),
    [
        (np.ones((5, 3)), "all 5 rows coincide"),
        (np.full((50, 8), 0.1, np.float32), "all 50 rows coincide"),
        (np.zeros((4, 4)), "all 4 rows coincide"),
        (np.ones((1, 3)), "1 rows; spread is defined from two on"),
        (np.ones((0, 3)), "0 rows"),
        (np.ones(3), r"an \(n, d\) matrix of numbers; found \(3,\)"),
        (np.array([["a"]]), "matrix of numbers"),
        (np.array([[1.0, 2], [np.nan, 1], [0, 0]]), "row 1 is not finite"),
        (np.array([[1.0, 2], [np.inf, 1], [0, 0]]), "row 1 is not finite"),
    ],
)
def test_degenerate_input_gets_one_clear_error(Z: np.ndarray, message: str) -> None:
    with pytest.raises(DegenerateEmbeddingError, match=message):
        geometric_metrics(Z)


def test_moments_do_not_depend_on_blocks(rng: np.random.Generator) -> None:
    Z = rng.standard_normal((101, 9)) + 1e4
    labels = {"label": rng.integers(0, 4, 101)}
    whole = moments([Z], labels, {"label": 4})
    cut = moments(np.split(Z, [10, 11, 70]), labels, {"label": 4})
    assert whole.n == cut.n == 101
    centred = Z - Z.mean(axis=0)
    for found in (whole, cut):
        assert np.allclose(found.mean, Z.mean(axis=0), rtol=1e-12)
        assert np.allclose(found.scatter, centred.T @ centred, rtol=1e-9, atol=1e-9)
        for value in range(4):
            expected = centred[labels["label"] == value].sum(axis=0)
            assert np.allclose(found.class_sums["label"][value], expected, atol=1e-8)
        assert np.array_equal(found.class_counts["label"], np.bincount(labels["label"]))


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_many_pieces_are_summed_in_two_lanes(
    threads: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    Z = rng.standard_normal((997, 9)) * np.linspace(0.1, 5, 9) + 100
    labels = {"label": rng.integers(0, 4, 997)}
    whole = moments([Z], labels, {"label": 4})
    # Pieces of two to fourteen rows.
    for values in (36, 250):
        monkeypatch.setattr(sums, "_BLOCK_VALUES", values)
        with threadpool_limits(threads, user_api="blas"):
            cut = moments(np.split(Z, [1, 500]), labels, {"label": 4})
            distances = squared_distances(np.split(Z, [1, 500]), cut.mean)
        assert cut.n == 997
        assert np.allclose(cut.mean, whole.mean, rtol=1e-13)
        assert np.allclose(cut.scatter, whole.scatter, rtol=1e-11, atol=1e-11)
        assert np.array_equal(cut.scatter, cut.scatter.T)
        assert np.allclose(cut.class_sums["label"], whole.class_sums["label"], atol=1e-9)
        assert np.allclose(distances, np.square(Z - Z.mean(axis=0)).sum(axis=1), rtol=1e-12)


def test_the_same_rows_give_the_same_bits(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "_BLOCK_VALUES", 500)
    Z = rng.standard_normal((2000, 25))
    first = moments([Z]).scatter
    for _ in range(20):
        assert np.array_equal(moments([Z]).scatter, first)


def test_blocks_are_taken_two_at_a_time() -> None:
    begun, ended = [], []

    def calls():
        for number in range(20):
            begun.append(number)
            yield lambda number=number: number

    for number in two_at_a_time(calls()):
        ended.append(number)
        assert len(begun) - len(ended) <= 2
    assert ended == list(range(20))


@pytest.mark.parametrize("bad", [0, 5, 6, 13, 19])
def test_the_first_bad_row_of_many_pieces_is_named(
    bad: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "_BLOCK_VALUES", 8)
    Z = np.arange(40.0).reshape(20, 2)
    Z[bad:] = np.inf
    with pytest.raises(DegenerateEmbeddingError, match=f"row {bad} is not finite"):
        moments([Z])


@pytest.mark.parametrize("case", CASES)
def test_a_device_gives_the_same(case: str, rng: np.random.Generator) -> None:
    Z = CASES[case](rng)
    found, expected = geometric_metrics(Z, device="cpu"), geometric_metrics(Z)
    for name in METRICS:
        assert found[name] == pytest.approx(expected[name], rel=1e-9, abs=1e-12), name


def test_float32_far_from_the_origin_keeps_small_directions(rng: np.random.Generator) -> None:
    spread = np.geomspace(1, 1e-3, 48)
    Z = (rng.standard_normal((3000, 48)) * spread + 1000 * spread.mean()).astype(np.float32)
    found, expected = geometric_metrics(Z), textbook(Z)
    for name in METRICS:
        assert found[name] == pytest.approx(expected[name], rel=1e-6), name


def test_memory_is_two_scatter_matrices_and_a_block(rng: np.random.Generator) -> None:
    d, block = 600, rng.standard_normal((2000, 600)).astype(np.float32)
    tracemalloc.start()
    known = moments(block for _ in range(10))
    metrics_of(known, spectrum(known), lambda: (block for _ in range(10)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # A block is a few arrays of 2**20 values in float64.
    assert peak < 2 * d * d * 8 + 3 * 2**20 * 8


def test_a_row_that_is_not_finite_is_numbered_over_all_blocks() -> None:
    blocks = [np.ones((5, 3)), np.ones((5, 3))]
    blocks[1][2, 1] = np.nan
    with pytest.raises(DegenerateEmbeddingError, match="row 7 is not finite"):
        moments(blocks)
