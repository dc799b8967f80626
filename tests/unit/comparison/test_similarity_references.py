"""Every measure against a plain reference that forms whatever it likes, on all kinds of input."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.linalg
from scipy.spatial.distance import pdist, squareform
from scipy.stats import spearmanr
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from semasia.comparison.similarity import (
    CrossProducts,
    compare,
    isotropy_delta,
    isotropy_spectral_delta,
    kernel_cka,
    linear_cka,
    neighbour_jaccard,
    nps,
    pairwise_linear_cka,
    procrustes_distance,
    pwcca,
    rsa,
    subspace_overlap,
    summarise,
    svcca,
    unbiased_linear_cka,
)
from semasia.comparison.similarity.neighbourhoods import NPS_K
from semasia.geometry import further_metrics, geometric_metrics

Pair = tuple[np.ndarray, np.ndarray]


def centre(Z: np.ndarray) -> np.ndarray:
    Z = Z.astype(np.float64)
    return Z - Z.mean(0)


def gram_cka(K: np.ndarray, L: np.ndarray) -> float:
    n = len(K)
    H = np.eye(n) - 1 / n
    K, L = H @ K @ H, H @ L @ H
    return (K * L).sum() / np.sqrt((K * K).sum() * (L * L).sum())


def reference_unbiased(A: np.ndarray, B: np.ndarray) -> float:
    """The formula of Song et al. with matrices as they stand in it."""
    n = len(A)
    one = np.ones(n)

    def hsic(K: np.ndarray, L: np.ndarray) -> float:
        return (
            np.trace(K @ L)
            + (one @ K @ one) * (one @ L @ one) / ((n - 1) * (n - 2))
            - 2 / (n - 2) * (one @ K @ L @ one)
        ) / (n * (n - 3))

    K, L = (Z @ Z.T for Z in (centre(A), centre(B)))
    np.fill_diagonal(K, 0)
    np.fill_diagonal(L, 0)
    return hsic(K, L) / np.sqrt(hsic(K, K) * hsic(L, L))


def rbf(Z: np.ndarray) -> np.ndarray:
    distances = pdist(centre(Z))
    return np.exp(-(squareform(distances) ** 2) / (2 * (0.4 * np.median(distances)) ** 2))


def leading(Z: np.ndarray, share: float) -> np.ndarray:
    """Rows in the fewest principal directions that hold a share of the variance."""
    U, s, _ = np.linalg.svd(centre(Z), full_matrices=False)
    keep = s > 1e-7 * s[0]
    U, s = U[:, keep], s[keep]
    return (U * s)[:, : int((np.cumsum(s**2) / (s**2).sum() < share - 1e-12).sum()) + 1]


def reference_cca(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Canonical correlations from the principal angles of the two column spaces."""
    return np.cos(scipy.linalg.subspace_angles(A, B))


def reference_pwcca(A: np.ndarray, B: np.ndarray) -> float:
    """CCA by whitening covariances, and weights from the variates."""
    X, a, b = centre(A), leading(A, 1.0), leading(B, 1.0)

    def white(Z: np.ndarray) -> np.ndarray:
        return np.linalg.svd(Z, full_matrices=False)[0]

    W, rho, _ = np.linalg.svd(white(a).T @ white(b), full_matrices=False)
    alpha = np.abs((white(a) @ W).T @ X).sum(axis=1)
    return (alpha * rho).sum() / alpha.sum()


def reference_procrustes(A: np.ndarray, B: np.ndarray) -> float:
    A, B = (Z / np.linalg.norm(Z) for Z in (centre(A), centre(B)))
    width = max(A.shape[1], B.shape[1])
    A, B = (np.pad(Z, ((0, 0), (0, width - Z.shape[1]))) for Z in (A, B))
    Q, _ = scipy.linalg.orthogonal_procrustes(B, A)
    return np.linalg.norm(A - B @ Q) ** 2


def reference_neighbours(Z: np.ndarray, k: int, metric: str) -> list[set[int]]:
    search = NearestNeighbors(n_neighbors=k, metric=metric, algorithm="brute")
    indices = search.fit(Z.astype(np.float64)).kneighbors(return_distance=False)
    return [set(row) for row in indices]


def reference_overlap(A: np.ndarray, B: np.ndarray, k: int, metric: str) -> np.ndarray:
    near = [reference_neighbours(Z, k, metric) for Z in (A, B)]
    return np.array([len(x & y) for x, y in zip(*near, strict=True)])


def reference_subspaces(A: np.ndarray, B: np.ndarray) -> float:
    tops = [np.linalg.svd(centre(Z), full_matrices=False)[0][:, :10] for Z in (A, B)]
    return (np.cos(scipy.linalg.subspace_angles(*tops)) ** 2).mean()


def digits(r: np.random.Generator) -> np.ndarray:
    # Whole numbers have neighbours at equal distances, of which either may count: hence the noise.
    return load_digits().data[:400] + 1e-3 * r.standard_normal((400, 64))


def related(r: np.random.Generator, n: int, a: int, b: int, noise: float = 1.0) -> Pair:
    hidden = r.standard_normal((n, 12)) * np.linspace(3, 0.5, 12)
    A, B = (
        hidden @ r.standard_normal((12, d)) + noise * r.standard_normal((n, d)) + 0.5
        for d in (a, b)
    )
    return A, B


def each(pair: Pair, change: Callable[[np.ndarray], np.ndarray]) -> Pair:
    return change(pair[0]), change(pair[1])


CASES: dict[str, Callable[[np.random.Generator], Pair]] = {
    "tall": lambda r: related(r, 300, 20, 30),
    "independent": lambda r: (r.standard_normal((200, 15)), r.standard_normal((200, 25))),
    "wide and narrow": lambda r: related(r, 80, 200, 16),
    "both wide": lambda r: related(r, 70, 150, 120),
    "rank deficient": lambda r: related(r, 150, 40, 30, noise=0.0),
    "dead dimensions": lambda r: each(
        related(r, 120, 15, 12), lambda Z: np.pad(Z, ((0, 0), (0, 5)))
    ),
    "digits, PCA": lambda r: (X := digits(r), PCA(20).fit_transform(X)),
    "digits, rotated": lambda r: (
        X := digits(r),
        X @ np.linalg.qr(r.standard_normal((64, 64)))[0] + 0.5 * r.standard_normal(X.shape),
    ),
    "float32, far": lambda r: each(related(r, 200, 20, 12), lambda Z: (Z + 1e3).astype(np.float32)),
    "float16": lambda r: each(related(r, 200, 20, 24), lambda Z: Z.astype(np.float16)),
}


@pytest.fixture(params=list(CASES))
def pair(request: pytest.FixtureRequest, rng: np.random.Generator) -> Pair:
    return CASES[request.param](rng)


def test_covariance_measures_equal_the_textbook(pair: Pair) -> None:
    A, B = pair
    K, L = (centre(Z) @ centre(Z).T for Z in pair)
    close = pytest.approx
    assert linear_cka(A, B) == close(gram_cka(K, L), abs=1e-6)
    assert unbiased_linear_cka(A, B) == close(reference_unbiased(A, B), abs=2e-6)
    kept = [leading(Z, 0.99) for Z in pair]
    assert svcca(A, B) == close(reference_cca(*kept).mean(), abs=1e-6)
    assert pwcca(A, B) == close(reference_pwcca(A, B), abs=1e-6)
    assert pwcca(B, A) == close(reference_pwcca(B, A), abs=1e-6)
    assert procrustes_distance(A, B) == close(reference_procrustes(A, B), abs=1e-6)
    assert subspace_overlap(A, B) == close(reference_subspaces(A, B), abs=1e-6)


def test_measures_of_distances_equal_the_textbook(pair: Pair) -> None:
    A, B = pair
    assert kernel_cka(A, B) == pytest.approx(gram_cka(rbf(A), rbf(B)), abs=1e-7)
    assert rsa(A, B) == pytest.approx(
        spearmanr(*(pdist(Z.astype(np.float64)) for Z in pair)).statistic, abs=1e-6
    )


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_neighbour_measures_equal_the_textbook(pair: Pair, metric: str) -> None:
    A, B = pair
    found = nps(A, B, NPS_K, metric)
    for k in NPS_K:
        known = (reference_overlap(A, B, k, metric) / k).mean()
        # Distances that a reference in products cannot tell apart may exchange two neighbours.
        assert found[k] == pytest.approx(known, abs=1e-3), k
    overlap = reference_overlap(A, B, 10, metric)
    jaccard = (overlap / (20 - overlap)).mean()
    assert neighbour_jaccard(A, B, 10, metric) == pytest.approx(jaccard, abs=1e-3)


def test_differences_of_isotropy_equal_those_of_the_geometry_table(pair: Pair) -> None:
    known = [geometric_metrics(Z)["isotropy"] for Z in pair]
    spectral: list[float] = [further_metrics(Z)[0]["isotropy_spectral"] for Z in pair]  # type: ignore[misc]
    assert isotropy_delta(*pair) == pytest.approx(abs(known[0] - known[1]), abs=1e-6)
    assert isotropy_spectral_delta(*pair) == pytest.approx(abs(spectral[0] - spectral[1]), abs=1e-6)


def test_a_comparison_of_summaries_equals_the_measures_one_by_one(pair: Pair) -> None:
    A, B = pair
    known = {
        ("linear_cka", None): linear_cka(A, B),
        ("unbiased_linear_cka", None): unbiased_linear_cka(A, B),
        ("kernel_cka", "bandwidth=0.4"): kernel_cka(A, B),
        ("svcca", "variance=0.99"): svcca(A, B),
        ("pwcca", "weights=a"): pwcca(A, B),
        ("pwcca", "weights=b"): pwcca(B, A),
        ("subspace_overlap", "k=10"): subspace_overlap(A, B),
        ("procrustes_distance", None): procrustes_distance(A, B),
        ("rsa", None): rsa(A, B),
        ("isotropy_delta", None): isotropy_delta(A, B),
        ("isotropy_spectral_delta", None): isotropy_spectral_delta(A, B),
    }
    for metric in ("cosine", "euclidean"):
        for k, value in nps(A, B, NPS_K, metric).items():
            known[f"nps_{metric}", f"k={k}"] = value
        known[f"neighbour_jaccard_{metric}", "k=10"] = neighbour_jaccard(A, B, 10, metric)
    found = {(s.measure, s.parameter): s for s in compare(summarise(A), summarise(B))}
    assert set(found) == set(known)
    for key, value in known.items():
        assert found[key].value == pytest.approx(value, abs=2e-6), key
        assert (found[key].note or "unrelated").startswith(("unrelated", "decided by shape"))
    few = ["linear_cka", "unbiased_linear_cka"]
    for s in compare(summarise(A, few), summarise(B, few)):
        assert s.value == pytest.approx(known[s.measure, s.parameter], abs=2e-6)


def test_all_pairs_equal_pairs_one_by_one(rng: np.random.Generator) -> None:
    hidden = rng.standard_normal((150, 8))
    models = [
        (hidden @ rng.standard_normal((8, d)) + rng.standard_normal((150, d))).astype(np.float32)
        for d in (5, 40, 170, 12, 200)
    ]
    whole = pairwise_linear_cka(models)
    assert whole == pytest.approx(whole.T)
    assert (np.diag(whole) == 1).all()
    for i, A in enumerate(models):
        for j, B in enumerate(models):
            assert whole[i, j] == pytest.approx(linear_cka(A, B), abs=1e-6)
    blocked = pairwise_linear_cka([lambda Z=Z: Z for Z in models], models_at_once=2)
    # Products of other shapes round float32 differently.
    assert blocked == pytest.approx(whole, abs=1e-6)


def test_wide_products_are_made_in_panels(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from semasia.comparison.similarity import products

    A, B = rng.standard_normal((90, 50)), rng.standard_normal((90, 170))
    C, D = rng.standard_normal((20, 60)), rng.standard_normal((20, 50))
    whole = linear_cka(A, B), linear_cka(C, D)
    monkeypatch.setattr(products, "_PANEL", 16)
    monkeypatch.setattr(products, "_BLOCK_ROWS", 32)
    assert (linear_cka(A, B), linear_cka(C, D)) == pytest.approx(whole, abs=1e-12)


def test_cross_products_are_summed_over_pairs_of_blocks(rng: np.random.Generator) -> None:
    A, B = rng.standard_normal((100, 5)), rng.standard_normal((100, 7))
    sums = CrossProducts(5, 7)
    for rows in (slice(0, 40), slice(40, 100)):
        sums.add(A[rows], B[rows])
    assert sums.total == pytest.approx(A.T @ B)
