"""The metrics beyond the paper against plain references, their invariances, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist, pdist
from scipy.stats import skew
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

from semasia.errors import DegenerateEmbeddingError
from semasia.geometry import FURTHER_METRICS, METRIC_DEFINITIONS, further_metrics
from semasia.geometry.further import sampled
from semasia.geometry.neighbourhoods import intrinsic_dimension
from semasia.neighbours import distances_to, nearest_neighbours


def reference(Z: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """The definitions, written down one by one, without any sharing."""
    Z = Z.astype(np.float64)
    sigma = np.linalg.svd(Z - Z.mean(0), compute_uv=False)
    full = len(sigma) == Z.shape[1] < len(Z) and sigma[-1] > 1e-7 * sigma[0]
    directions = Z / np.linalg.norm(Z, axis=1, keepdims=True)
    distances, indices = NearestNeighbors(n_neighbors=11).fit(Z).kneighbors(Z)
    indices, distances = indices[:, 1:], distances[:, 1:]
    mu = np.sort(distances[:, 1] / distances[:, 0])
    kept = int(0.9 * len(mu))
    x, f = np.log(mu[:kept]), -np.log(1 - np.arange(1, kept + 1) / len(mu))
    means = np.stack([Z[y == c].mean(0) for c in np.unique(y)])[np.searchsorted(np.unique(y), y)]
    return {
        "isotropy_spectral": sigma[-1] / sigma[0] if full else 0.0,
        "participation_ratio": (sigma**2).sum() ** 2 / (sigma**4).sum(),
        "mean_cosine": 1 - pdist(Z, "cosine").mean(),
        "uniformity": np.log(np.exp(-2 * pdist(directions) ** 2).mean()),
        "intrinsic_dimension": np.linalg.lstsq(x[:, None], f, rcond=None)[0][0],
        "hubness": skew(np.bincount(indices.ravel(), minlength=len(Z))),
        "class_separation": np.square(means - Z.mean(0)).sum() / np.square(Z - means).sum(),
    }


CASES = {
    "tall": lambda r: r.standard_normal((500, 12)) * np.linspace(0.1, 3, 12),
    "wide": lambda r: r.standard_normal((40, 100)) + 0.3,
    "float32, far": lambda r: (r.standard_normal((300, 16)) + 100).astype(np.float32),
    "rank three": lambda r: r.standard_normal((200, 3)) @ r.standard_normal((3, 50)),
    # Whole numbers have neighbours at equal distances, of which either may count: hence the noise.
    "digits": lambda r: load_digits().data[:600] + 1e-3 * r.standard_normal((600, 64)),
}


@pytest.mark.parametrize("case", CASES)
def test_equals_the_definitions(case: str, rng: np.random.Generator) -> None:
    Z = CASES[case](rng)
    y = load_digits().target[: len(Z)]
    found, remarks = further_metrics(Z, y)
    assert tuple(found) == FURTHER_METRICS
    rank = np.linalg.matrix_rank(Z - Z.mean(axis=0))
    shape = f"isotropy_spectral: 0, as {len(Z)} rows span {rank} of {Z.shape[1]} dimensions."
    assert remarks == ([shape] if rank < Z.shape[1] else [])
    for name, value in reference(Z, y).items():
        assert found[name] == pytest.approx(value, rel=1e-5, abs=1e-7), name


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100), st.floats(-20, 20))
def test_invariances(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((80, 6)) * np.linspace(0.5, 2, 6) + 0.5
    y = np.arange(80) % 4
    rotation = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    order = rng.permutation(80)
    base, _ = further_metrics(Z, y)
    for changed, labels in ((scale * Z @ rotation, y), (Z[order], y[order])):
        found, _ = further_metrics(changed, labels)
        for name in FURTHER_METRICS:
            assert found[name] == pytest.approx(base[name], rel=1e-6, abs=1e-9), name
    moved, _ = further_metrics(Z + shift, y)
    for name in set(FURTHER_METRICS) - {"mean_cosine", "uniformity"}:
        assert moved[name] == pytest.approx(base[name], rel=1e-6, abs=1e-9), name


def test_two_nn_finds_the_dimension_of_uniform_data(rng: np.random.Generator) -> None:
    for d in (1, 2, 5):
        Z = rng.random((3000, d)) @ rng.standard_normal((d, 20))
        distances = distances_to(Z, nearest_neighbours(Z, 2))
        assert intrinsic_dimension(distances) == pytest.approx(d, rel=0.1)


def test_neighbours_are_exact_among_copies_and_far_from_the_origin(
    rng: np.random.Generator,
) -> None:
    Z = np.repeat(rng.standard_normal((40, 5)), 3, axis=0) + 1e4
    indices = nearest_neighbours(Z, 4)
    distances = distances_to(Z, indices)
    assert (indices != np.arange(120)[:, None]).all()
    whole = cdist(Z, Z)
    np.fill_diagonal(whole, np.inf)
    assert np.allclose(distances, np.sort(whole, axis=1)[:, :4], atol=1e-9)
    assert np.array_equal(distances[:, :2], np.zeros((120, 2)))


@pytest.mark.parametrize("copies", ["of every row", "of some rows", "of one row"])
def test_copies_change_no_metric_of_neighbours(copies: str, rng: np.random.Generator) -> None:
    """As neighbours of others they would make four dimensions look like eight."""
    Z = rng.standard_normal((800, 4))
    repeated = {
        "of every row": np.repeat(Z, 2, axis=0),
        "of some rows": np.concatenate([Z, Z[:300], Z[:100]]),
        "of one row": np.concatenate([Z, np.repeat(Z[:1], 200, axis=0)]),
    }[copies]
    repeated = repeated[rng.permutation(len(repeated))]
    plain, _ = further_metrics(Z)
    found, remarks = further_metrics(repeated)
    for name in ("intrinsic_dimension", "hubness"):
        assert found[name] == pytest.approx(plain[name]), name
    assert found["intrinsic_dimension"] == pytest.approx(4, rel=0.15)
    told = f"{len(repeated) - 800} of {len(repeated)} rows are copies of others and are left out."
    assert remarks == [f"intrinsic_dimension, hubness: {told}"]


def test_each_undefined_metric_has_a_remark(rng: np.random.Generator) -> None:
    few, remarks = further_metrics(rng.standard_normal((8, 3)), np.arange(8))
    assert few["hubness"] is None
    assert few["class_separation"] is None
    assert "hubness: 8 rows; at least 11 are needed." in remarks
    assert "class_separation: the rows of each class of 'labels' coincide." in remarks
    flat, remarks = further_metrics(rng.standard_normal((50, 3)) * [1, 0, 1])
    assert flat["isotropy_spectral"] == 0
    assert remarks == [
        "isotropy: 0, as one of 3 dimensions is constant.",
        "isotropy_spectral: 0, as 50 rows span 2 of 3 dimensions.",
    ]
    two, remarks = further_metrics(np.array([[0.0, 0], [1, 2]]))
    assert two["mean_cosine"] is None
    assert "mean_cosine: 1 rows differ from zero; two are needed." in remarks


@pytest.mark.parametrize(
    ("Z", "message"),
    [
        (np.ones((50, 3)), "all 50 rows coincide"),
        (np.ones((1, 3)), "1 rows"),
        (np.array([[1.0, 2], [np.nan, 1]]), "row 1 is not finite"),
    ],
)
def test_degenerate_input_gets_one_error(Z: np.ndarray, message: str) -> None:
    with pytest.raises(DegenerateEmbeddingError, match=message):
        further_metrics(Z)


def test_a_sample_is_seeded_ordered_and_independent_of_blocks(rng: np.random.Generator) -> None:
    Z = np.arange(1000.0)[:, None]
    whole = sampled([Z], 1000, 100)
    assert np.array_equal(whole, sampled(np.split(Z, [3, 700]), 1000, 100))
    assert (np.diff(whole[:, 0]) > 0).all()
    assert len(whole) == 100


def test_what_the_paper_lacks_is_marked() -> None:
    for name, known in METRIC_DEFINITIONS.items():
        assert known.beyond_paper == (name in FURTHER_METRICS)
        assert known.label.endswith("*") == known.beyond_paper
        assert known.source.startswith("beyond" if known.beyond_paper else "Semasia")
