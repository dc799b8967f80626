"""Input that gave wrong values without a word, or an error of another's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from semasia.accelerator import use_device
from semasia.comparison import similarity
from semasia.comparison.alignment import METHODS, alignment_rows
from semasia.comparison.alignment.parseval import Parseval
from semasia.comparison.similarity.products import cross_energy
from semasia.comparison.transfer import (
    TRANSFER_COLUMNS,
    ModelLatents,
    transfer_rows,
)
from semasia.comparison.transfer_shards import rows_without
from semasia.errors import ComparisonError, SemasiaError, ShardError
from semasia.figures import draw_similarities
from semasia.tables import frame_of


@pytest.mark.parametrize(("d", "std"), [(10, 3e4), (201, 1e4), (201, 3e3)])
def test_cca_sends_all_of_equal_spaces_with_one_large_dimension(
    rng: np.random.Generator, d: int, std: float
) -> None:
    A = rng.standard_normal((500, d))
    A[:, 0] *= std
    fitted = METHODS["cca"]().fit(A, A, [d])
    assert np.square(fitted.transform(A, d) - A).sum(axis=1).mean() < 1e-6 * A.var(axis=0).sum()
    assert fitted.remark(d) is None


def test_cca_says_how_many_directions_it_sends(rng: np.random.Generator) -> None:
    A = rng.standard_normal((300, 12))
    A[:, 6:] = A[:, :6]
    fitted = METHODS["cca"]().fit(A, A, [4, 12])
    assert fitted.remark(4) is None
    assert str(fitted.remark(12)).startswith("6 of 12 directions are sent")
    np.testing.assert_allclose(fitted.transform(A, 12), A, atol=1e-5)


@pytest.mark.parametrize("scale", [1e15, 1e30])
@pytest.mark.parametrize("name", ["parseval", "cca"])
def test_large_scales_change_nothing(rng: np.random.Generator, name: str, scale: float) -> None:
    A = rng.standard_normal((400, 6))
    B = A @ rng.standard_normal((6, 6))
    sent = [METHODS[name]().fit(Z, B, [6]).transform(Z, 6) for Z in (A, A * scale)]
    np.testing.assert_allclose(sent[0], sent[1], atol=1e-3)


@pytest.mark.parametrize("name", ["parseval", "cca"])
def test_variances_below_epsilon_are_an_error(rng: np.random.Generator, name: str) -> None:
    A = rng.standard_normal((100, 4))
    with pytest.raises(ComparisonError, match=r"less than ε = 1e-06.*scale the rows up"):
        METHODS[name]().fit(A, A * 1e-6, [2])


def test_parseval_says_where_rounding_decides(rng: np.random.Generator) -> None:
    A = rng.standard_normal((60, 100)).astype(np.float32)
    labels = {"label": rng.integers(0, 2, 60)}
    rows = alignment_rows(A, A, A, A, labels, labels, ks=[5], methods=["parseval", "linear"])
    notes = {row["method"]: row["note"] for row in rows}
    assert "60 pairs for 100 dimensions" in notes["parseval"]
    assert "rounding decides" in notes["parseval"]
    rows = alignment_rows(A, A, A, A, labels, labels, ks=[5, 59], methods=["linear", "cca"])
    for row in rows:
        told = "60 pairs for 100 dimensions tell every direction exactly" in str(row["note"])
        assert told == (row["k"] < 59)


def test_ties_are_told(rng: np.random.Generator) -> None:
    collapsed = []
    for _ in range(2):
        Z = rng.standard_normal((500, 8))
        Z[: 9 * len(Z) // 10] = Z[0]
        collapsed.append(similarity.summarise(Z))
    plain = [similarity.summarise(rng.standard_normal((500, 8))) for _ in range(2)]
    for value in similarity.compare(*collapsed):
        if value.measure.startswith(("nps", "neighbour")):
            assert "ties: of " in str(value.note) and value.value is not None
    for value in similarity.compare(*plain):
        assert value.note is None or not value.note.startswith("ties")
    # In one dimension every cosine of positive numbers is 1.
    line = [similarity.summarise(np.abs(rng.standard_normal((300, 1)))) for _ in range(2)]
    found = {(v.measure, v.parameter): v for v in similarity.compare(*line)}
    assert "ties: of 100% and 100%" in str(found["nps_cosine", "k=10"].note)
    assert found["nps_euclidean", "k=10"].note is None


@pytest.mark.parametrize(
    "call",
    [
        lambda A: similarity.nps(A, A, metric="cosin"),
        lambda A: similarity.neighbour_jaccard(A, A, metric="Cosine"),
        lambda A: similarity.nps(A, A, ks=[0, 5]),
        lambda A: similarity.nps(A, A, ks=[]),
        lambda A: similarity.nps(A, A, ks=[2.5, 5]),
        lambda A: similarity.subspace_overlap(A, A, k=-1),
        lambda A: similarity.subspace_overlap(A, A, k=0),
        lambda A: similarity.kernel_cka(A, A, bandwidth=0),
        lambda A: similarity.kernel_cka(A, A, bandwidth=np.nan),
        lambda A: similarity.kernel_cka(A, A, bandwidth=-1),
        lambda A: similarity.pairwise_linear_cka([A, A], models_at_once=0),
        lambda A: similarity.pairwise_linear_cka([A, A], models_at_once=-1),
        lambda A: similarity.isotropy_spectral_delta(A[:, :0], A[:, :0]),
        lambda A: Parseval(anchors="al"),  # type: ignore[arg-type]
        lambda A: Parseval(samples=0),
        lambda A: METHODS["parseval"](seed=-1).fit(A, A, [2]),
        lambda A: METHODS["linear"]().transform(A, 2),
        lambda A: alignment_rows(A, A, A, A[:, :3], {}, {}, ks=[1]),
        lambda A: transfer(A, probe="logistik"),
        lambda A: transfer(A, aligned_rows=-5),
        lambda A: transfer(A, labels=np.zeros((len(A), 2), int)),
        lambda A: transfer(A, labels=np.zeros(len(A))),
        lambda A: transfer(A, test=A[:, :2]),
    ],
)
def test_it_is_one_clear_error(rng: np.random.Generator, call: Callable[..., object]) -> None:
    with pytest.raises(SemasiaError):
        call(rng.standard_normal((60, 6)))


def test_a_class_of_test_rows_alone_is_told(rng: np.random.Generator) -> None:
    A, B = rng.standard_normal((60, 6)), rng.standard_normal((60, 4))
    train, test = {"label": np.arange(60) % 3}, {"label": np.arange(60) % 4}
    told = "15 of 60 test rows have a 'label' that no training row has, such as 3"
    rows = alignment_rows(A, B, A, B, train, test, methods=("linear",), ks=[2])
    models = {"a": ModelLatents(A, A), "b": ModelLatents(B, B)}
    rows += transfer_rows(models, train, test)
    scored = [r for r in rows if r["accuracy"] is not None]
    assert {r.get("kind") for r in scored} == {None, "own", "aligned"}
    assert all(r["note"].startswith(told) for r in scored)
    unscored = [r for r in rows if r["accuracy"] is None]
    assert {r["kind"] for r in unscored} == {"zero_shot"}
    assert all(r["note"].startswith("widths differ") for r in unscored)
    for row in alignment_rows(A, B, A, B, train, train, methods=("linear",), ks=[2]):
        assert row["note"] is None


def transfer(A: np.ndarray, **changes: object) -> list:
    labels = changes.pop("labels", np.arange(len(A)) % 2)
    latents = ModelLatents(A, changes.pop("test", A))  # type: ignore[arg-type]
    return transfer_rows({"a": latents}, {"label": labels}, {"label": labels}, **changes)  # type: ignore


def test_types_may_be_mixed_where_a_device_is_in_use(rng: np.random.Generator) -> None:
    A, B = rng.standard_normal((50, 4)).astype(np.float32), rng.standard_normal((50, 3))
    A.setflags(write=False)
    wanted = cross_energy(A, B)
    use_device("cpu")
    try:
        assert cross_energy(A, B) == pytest.approx(wanted)
    finally:
        use_device(None)


def test_models_without_latents_are_notes_and_drawn(tmp_path: Path) -> None:
    error = ShardError("a.parquet: is not a whole Parquet file.")
    rows = rows_without({"a": error}, ["a", "b"], {"benchmark": "mnist"})
    kinds = {(r["probe_model"], r["latents_model"], r["kind"]) for r in rows}
    assert kinds == {
        ("a", "a", "own"),
        *((x, y, k) for x, y in (("a", "b"), ("b", "a")) for k in ("zero_shot", "aligned")),
    }
    assert all("a: a.parquet: is not a whole" in row["note"] for row in rows)
    draw_similarities(
        frame_of([], similarity.SIMILARITY_COLUMNS),
        frame_of(rows, TRANSFER_COLUMNS),
        tmp_path / "a.svg",
    )
    assert (tmp_path / "a.svg").stat().st_size > 1000
