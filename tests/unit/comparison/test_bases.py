"""Bases against dense references, and what corresponds between those of two models."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import subspace_angles
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from semasia.comparison.bases import (
    Basis,
    bases,
    cross_correlation,
    laplacian_basis,
    off_diagonal_energy,
    pca_basis,
)
from semasia.comparison.bases_table import BASES_COLUMNS, BASES_SUMMARY_COLUMNS, bases_rows
from semasia.errors import ComparisonError, DegenerateEmbeddingError
from semasia.tables import frame_of


def reference_laplacian(Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All eigenvalues and eigenvectors of the normalised Laplacian of the union graph."""
    nearest = NearestNeighbors(n_neighbors=10, algorithm="brute").fit(Z).kneighbors_graph()
    A = ((nearest + nearest.T) > 0).toarray().astype(float)
    root = np.sqrt(A.sum(1))
    return np.linalg.eigh(np.eye(len(Z)) - A / np.outer(root, root))


@pytest.mark.parametrize("shape", [(400, 30), (60, 100), (200, 64)])
def test_principal_components_are_those_of_scikit_learn(
    shape: tuple[int, int], rng: np.random.Generator
) -> None:
    Z = rng.standard_normal(shape) * np.geomspace(5, 0.05, shape[1]) + 3
    scores = PCA(20, svd_solver="full").fit_transform(Z)
    found = pca_basis(Z).vectors
    assert found.T @ found == pytest.approx(np.eye(20), abs=1e-12)
    assert np.abs(found) == pytest.approx(np.abs(scores / np.linalg.norm(scores, axis=0)), abs=1e-8)


def test_small_directions_are_orthonormal_and_zero_ones_are_left_out(
    rng: np.random.Generator,
) -> None:
    Z = rng.standard_normal((100, 12)) * np.geomspace(1, 1e-6, 12)
    found = pca_basis(np.pad(Z, ((0, 0), (0, 9)))).vectors
    assert found.shape == (100, 12)
    assert found.T @ found == pytest.approx(np.eye(12), abs=1e-12)
    assert pca_basis(rng.standard_normal((6, 40))).vectors.shape == (6, 5)


@pytest.mark.parametrize("n", [120, 500])
def test_eigenmaps_are_those_of_the_dense_laplacian(n: int, rng: np.random.Generator) -> None:
    Z = rng.standard_normal((n, 3))
    values, vectors = reference_laplacian(Z)
    found = laplacian_basis(Z)
    assert found.components == 1
    assert values[1] > 1e-9
    assert np.abs((found.vectors * vectors[:, 1:21]).sum(0)) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("n", [40, 150])
def test_components_come_first_in_a_graph_that_is_not_connected(
    n: int, rng: np.random.Generator
) -> None:
    parts = [rng.standard_normal((m, 3)) + place for m, place in ((n, 0), (2 * n, 100), (n, 200))]
    Z = np.concatenate(parts)
    values, vectors = reference_laplacian(Z)
    assert (values[:3] < 1e-9).all()
    found = laplacian_basis(Z)
    assert found.components == 3
    assert found.vectors.T @ found.vectors == pytest.approx(np.eye(20), abs=1e-9)
    assert subspace_angles(found.vectors[:, :2], vectors[:, :3]).max() < 1e-6
    assert subspace_angles(found.vectors, vectors[:, :21]).max() < 1e-6
    # The largest component against the others, and then the first of these against the last.
    assert np.ptp(np.sign(found.vectors[n : 3 * n, 0])) == 0
    [summary] = bases_rows({}, bases(Z), bases(Z))[1][1:]
    assert summary["components_a"] == 3
    assert summary["note"].startswith("a graph is not connected")


def test_correlations_are_those_of_numpy(rng: np.random.Generator) -> None:
    A = load_digits().data[:310] + 1e-3 * rng.standard_normal((310, 64))
    B = PCA(8).fit_transform(A)
    for name, first in bases(A).items():
        second = bases(B)[name]
        found = cross_correlation(first, second)
        a = first.vectors.shape[1]
        known = np.abs(np.corrcoef(first.vectors.T, second.vectors.T))[:a, a:]
        assert found == pytest.approx(known, abs=1e-12)
    assert np.diag(cross_correlation(pca_basis(A), pca_basis(B))) == pytest.approx(1)


def test_off_diagonal_energy_of_equal_turned_and_exchanged_bases(rng: np.random.Generator) -> None:
    Z = rng.standard_normal((200, 25)) * np.geomspace(3, 0.3, 25)
    turned = 2 * Z @ np.linalg.qr(rng.standard_normal((25, 25)))[0] + 1
    for name, basis in bases(Z).items():
        assert off_diagonal_energy(basis, bases(turned)[name]) < 1e-9
        signs = basis.vectors * rng.choice([-1, 1], basis.vectors.shape[1])
        assert off_diagonal_energy(basis, Basis(signs)) < 1e-20
        assert off_diagonal_energy(basis, Basis(basis.vectors[:, ::-1])) == pytest.approx(1)
    narrow = Basis(pca_basis(Z).vectors[:, :5])
    C = narrow.vectors.T @ pca_basis(turned).vectors
    known = 1 - np.square(np.diag(C)).sum() / np.square(C).sum()
    assert off_diagonal_energy(pca_basis(turned), narrow) == pytest.approx(known, abs=1e-12)


def test_rows_of_a_pair(rng: np.random.Generator) -> None:
    known = {"benchmark": "x", "split": "test", "anchor": "all", "model_a": "a", "model_b": "b"}
    A, B = rng.standard_normal((60, 30)), rng.standard_normal((60, 8))
    rows, summaries = bases_rows(known, bases(A), bases(B))
    frame = frame_of(rows, BASES_COLUMNS)
    assert frame.height == 20 * 8 + 20 * 20
    assert set(rows[0]) == set(BASES_COLUMNS)
    assert max(r["j"] for r in rows if r["basis"] == "pca") == 8
    assert frame_of(summaries, BASES_SUMMARY_COLUMNS)["off_diagonal_energy"].is_between(0, 1).all()
    assert [s["note"] for s in summaries] == ["bases of 20 and 8 functions, not 20.", None]


def test_undefined_bases_are_refused(rng: np.random.Generator) -> None:
    with pytest.raises(ComparisonError, match=r"5,001 rows; bases are compared on at most 5,000"):
        pca_basis(np.zeros((5001, 2)))
    with pytest.raises(ComparisonError, match="10 neighbours of 10 rows"):
        laplacian_basis(rng.standard_normal((10, 2)))
    with pytest.raises(DegenerateEmbeddingError, match="all 30 rows coincide"):
        pca_basis(np.ones((30, 2)))
    with pytest.raises(ComparisonError, match="1 rows"):
        pca_basis(np.ones((1, 2)))
    a, b = np.eye(6)[:, :2], np.eye(6)[:, 3:]
    with pytest.raises(ComparisonError, match="nothing in common"):
        off_diagonal_energy(Basis(a), Basis(b))
    with pytest.raises(ComparisonError, match="6 rows and 5 rows"):
        cross_correlation(Basis(a), Basis(b[1:]))
