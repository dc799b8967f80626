"""What every alignment method does: shapes, invariances, and errors that say what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from semasia.comparison.alignment import METHODS, Alignment
from semasia.errors import ComparisonError

NAMES = tuple(METHODS)


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    """Return 300 paired rows of widths 12 and 8 that share a five-dimensional signal."""
    rng = np.random.default_rng(3)
    signal = rng.standard_normal((300, 5))
    A = signal @ rng.standard_normal((5, 12)) + 0.3 * rng.standard_normal((300, 12)) + 4
    B = signal @ rng.standard_normal((5, 8)) + 0.3 * rng.standard_normal((300, 8)) - 2
    return A, B


def fitted(name: str, A: np.ndarray, B: np.ndarray, ks: list[int], **options: object) -> Alignment:
    return METHODS[name]().fit(A, B, ks, **options)


def error_of(method: Alignment, A: np.ndarray, B: np.ndarray, k: int) -> float:
    return float(np.square(method.transform(A, k) - B).sum(axis=1).mean())


@pytest.mark.parametrize("name", NAMES)
def test_a_method_says_what_it_is(name: str) -> None:
    method = METHODS[name]
    assert method.name == name
    assert method.definition and method.source and method.meaning_of_k
    assert method.beyond_paper == (name not in ("parseval", "linear", "cca"))
    assert ("beyond" in method.source) == method.beyond_paper


@pytest.mark.parametrize("name", NAMES)
def test_maps_new_rows_better_than_the_mean_does(
    name: str, pair: tuple[np.ndarray, np.ndarray]
) -> None:
    A, B = pair
    method = fitted(name, A[:250], B[:250], [1, 4, 8])
    for k in (1, 4, 8):
        sent = method.transform(A[250:], k)
        assert sent.shape == (50, 8)
        assert sent.dtype == np.float64
        assert np.isfinite(sent).all()
    # Between spaces that share but a part of their geometry, relative representations need not be.
    if name != "relative":
        assert error_of(method, A[250:], B[250:], 4) < B.var(axis=0).sum()


@pytest.mark.parametrize("name", NAMES)
def test_permuting_rows_jointly_changes_nothing(
    name: str, pair: tuple[np.ndarray, np.ndarray]
) -> None:
    A, B = pair
    ids = np.arange(300) * 7 + 1
    order = np.random.default_rng(0).permutation(300)
    before = fitted(name, A, B, [3, 8], ids=ids)
    after = fitted(name, A[order], B[order], [3, 8], ids=ids[order])
    for k in (3, 8):
        assert np.allclose(before.transform(A, k), after.transform(A, k), atol=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_each_k_is_what_it_is_alone(name: str, pair: tuple[np.ndarray, np.ndarray]) -> None:
    A, B = pair
    many, one = fitted(name, A, B, [8, 2, 5]), fitted(name, A, B, [5])
    assert np.allclose(many.transform(A, 5), one.transform(A, 5), atol=1e-10)
    swept = dict(many.sweep(A))
    assert list(swept) == [2, 5, 8]
    for k, sent in swept.items():
        assert np.allclose(sent, many.transform(A, k), atol=1e-10)


@pytest.mark.parametrize("name", ["linear", "procrustes", "cca", "ridge", "parseval"])
def test_recovers_a_rotation(name: str) -> None:
    rng = np.random.default_rng(5)
    A = rng.standard_normal((400, 10)) * np.linspace(0.5, 3, 10) + 1
    turn = np.linalg.qr(rng.standard_normal((10, 10)))[0]
    B = A @ turn + 5 + 1e-3 * rng.standard_normal((400, 10))
    k = 400 if name == "parseval" else 10
    method = fitted(name, A[:350], B[:350], [min(k, 350)])
    # The ridge holds back a little, even here.
    allowed = 1e-4 if name == "ridge" else 1e-5
    assert error_of(method, A[350:], B[350:], min(k, 350)) < allowed * B.var(axis=0).sum()


@pytest.mark.parametrize("name", ["linear", "procrustes", "cca", "ridge", "parseval"])
def test_equal_models_are_mapped_onto_themselves(
    name: str, pair: tuple[np.ndarray, np.ndarray]
) -> None:
    A = pair[0]
    k = 100 if name == "parseval" else 12
    allowed = 1e-3 if name == "ridge" else 1e-12
    assert error_of(fitted(name, A, A, [k]), A, A, k) < allowed * A.var(axis=0).sum()


@pytest.mark.parametrize("name", NAMES)
def test_dead_dimensions_and_copies_do_no_harm(
    name: str, pair: tuple[np.ndarray, np.ndarray]
) -> None:
    A, B = pair
    dead = np.hstack([A, np.full((300, 1), 0.1), A[:, :2]])
    target = np.hstack([B, np.full((300, 1), 0.3)])
    method = fitted(name, dead, target, [4, 8])
    assert np.allclose(method.transform(dead, 4)[:, -1], 0.3)
    if name != "relative":
        # Four prototypes send what they span at full length, right or wrong.
        k = 8 if name == "parseval" else 4
        assert error_of(method, dead, target, k) < B.var(axis=0).sum()


@pytest.mark.parametrize("name", NAMES)
def test_rows_that_coincide_give_the_mean(name: str, pair: tuple[np.ndarray, np.ndarray]) -> None:
    A, B = pair
    same = np.full((300, 4), 0.1)
    if name != "relative":
        assert np.allclose(fitted(name, same, B, [2]).transform(same, 2), B.mean(axis=0))
    assert np.allclose(fitted(name, A, same, [2]).transform(A, 2), 0.1)


@pytest.mark.parametrize("name", NAMES)
def test_wide_rows_and_float16(name: str) -> None:
    rng = np.random.default_rng(1)
    signal = rng.standard_normal((260, 6))
    A = (signal @ rng.standard_normal((6, 2000)) + 0.5 * rng.standard_normal((260, 2000))).astype(
        np.float16
    )
    B = (signal @ rng.standard_normal((6, 64)) + 0.5 * rng.standard_normal((260, 64))).astype(
        np.float16
    )
    for source, target in ((A, B), (B, A)):
        method = fitted(name, source[:200], target[:200], [6, 64])
        spread = target.astype(float).var(axis=0).sum()
        if name != "relative":
            assert error_of(method, source[:200], target[:200].astype(float), 6) < spread
        again = fitted(name, source[:200].astype(float), target[:200].astype(float), [6])
        sent = method.transform(source[200:], 6)
        assert np.allclose(sent, again.transform(source[200:].astype(float), 6), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_two_rows_and_one_k(name: str, pair: tuple[np.ndarray, np.ndarray]) -> None:
    A, B = pair
    method = fitted(name, A[:2], B[:2], [1])
    assert np.isfinite(method.transform(A, 1)).all()


@pytest.mark.parametrize("name", NAMES)
def test_errors_say_what_is_wrong(name: str, pair: tuple[np.ndarray, np.ndarray]) -> None:
    A, B = pair
    largest = 300 if name in ("parseval", "relative") else 8
    with pytest.raises(ComparisonError, match=r"two or more rows"):
        fitted(name, A[:1], B[:1], [1])
    with pytest.raises(ComparisonError, match=r"A has 300 rows and B 299"):
        fitted(name, A, B[:299], [1])
    for k in (0, largest + 1, 1.5):
        with pytest.raises(ComparisonError, match=rf"{name}: k = {k} .*from 1 to {largest}"):
            fitted(name, A, B, [k])
    with pytest.raises(ComparisonError, match="no k is given"):
        fitted(name, A, B, [])
    broken = B.copy()
    broken[41, 3] = np.nan
    with pytest.raises(ComparisonError, match=r"B: row 41 holds a value that is not finite"):
        fitted(name, A, broken, [1])
    with pytest.raises(ComparisonError, match=r"300 ids, 1 of them distinct"):
        fitted(name, A, B, [1], ids=np.zeros(300, int))
    method = fitted(name, A, B, [1, 2])
    with pytest.raises(ComparisonError, match=r"fitted for k = 1, 2, not 3"):
        method.transform(A, 3)
    with pytest.raises(ComparisonError, match=r"width 12, not on an array of shape \(300, 8\)"):
        method.transform(B, 1)
    broken = A.copy()
    broken[7, 0] = np.inf
    with pytest.raises(ComparisonError, match=r"A: row 7 holds"):
        method.transform(broken, 1)
