"""Figures of the comparison of latent spaces: any number of models, and nothing at all."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from matplotlib.axes import Axes

from semasia.comparison.alignment import ALIGNMENT_COLUMNS
from semasia.comparison.bases_table import BASES_COLUMNS, BASES_SUMMARY_COLUMNS
from semasia.comparison.similarity import SIMILARITY_COLUMNS
from semasia.comparison.transfer import TRANSFER_COLUMNS
from semasia.figures import draw_alignments, draw_bases, draw_similarities, draw_transfers
from semasia.figures.matrices import SIMILARITIES
from semasia.tables import frame_of

PAIR = {"a": "one", "b": "other", "differ_in": "size"}


def texts(svg: Path) -> str:
    return "\n".join(re.findall(r"<!-- (.*?) -->", svg.read_text(), re.DOTALL))


def similarities(names: list[str]) -> list[dict[str, Any]]:
    return [
        {"model_a": a, "model_b": b, "measure": m, "parameter": p or "k=10", "value": 0.5}
        for i, a in enumerate(names)
        for b in names[i + 1 :]
        for m, p, _ in SIMILARITIES
    ]


def transfers(names: list[str]) -> list[dict[str, Any]]:
    return [
        {"probe_model": a, "latents_model": b, "kind": kind, "accuracy": 0.25}
        for a in names
        for b in names
        for kind in (["own"] if a == b else ["zero_shot", "aligned"])
    ]


@pytest.mark.parametrize("models", [0, 2, 61])
def test_matrices_of_any_size(models: int, tmp_path: Path) -> None:
    names = [f"model{i:02}" for i in range(models)]
    similarity = frame_of(similarities(names), SIMILARITY_COLUMNS)
    transfer = frame_of(transfers(names), TRANSFER_COLUMNS)
    draw_similarities(similarity, transfer, tmp_path / "similarity.svg")
    draw_transfers(transfer, tmp_path / "transfer.svg")
    for name, panels in (("similarity", 4), ("transfer", 2)):
        shown = texts(tmp_path / f"{name}.svg")
        if not models:
            assert shown.count("undefined: see the notes in the table") == panels
        assert all((n in shown) == (models <= 60) for n in names)
    if models == 2:
        assert texts(tmp_path / "similarity.svg").count("0.50") == 2 * len(SIMILARITIES)
        # A model's own accuracy is on both diagonals.
        assert texts(tmp_path / "transfer.svg").count("0.25") == 8


def alignments(labels: list[str | None], **values: Any) -> list[dict[str, Any]]:
    shared = {"model_a": "one", "model_b": "other", "mse": 2.0, "mse_low": 1.0, "mse_high": 3.0}
    scores = {"accuracy": 0.5, "accuracy_low": 0.4, "accuracy_high": 0.6, "upper_bound": 0.9}
    return [
        shared | scores | {"method": m, "k": k, "train_rows": n, "label": label} | values
        for m in ("linear", "cca")
        for k in (1, 10)
        for n in (100, 1000)
        for label in labels
    ]


@pytest.mark.parametrize("labels", [["label"], ["fine", "coarse"]])
def test_alignments_are_drawn_over_components_and_rows(labels: list, tmp_path: Path) -> None:
    frame = frame_of(alignments(labels), ALIGNMENT_COLUMNS)
    draw_alignments(frame, [PAIR], tmp_path / "figure.svg")
    shown = texts(tmp_path / "figure.svg")
    assert "size" in shown
    assert "→ other" in shown
    assert {"linear", "cca", "own latents"} <= set(shown.splitlines())


def test_fewer_rows_show_the_most_that_each_method_can_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A method without a map of the largest k is drawn with the largest it has, all labels."""
    rows = alignments(["fine", "coarse"])
    for row in rows:
        if row["method"] == "cca" and row["k"] == 10:
            row |= {"accuracy": None, "note": "too many"}
        elif row["label"] == "coarse":
            row["accuracy"] = 0.7
    drawn: dict[str, list[tuple[list[float], list[float]]]] = {}
    plain = Axes.plot

    def plot(axis: Axes, x: Any, y: Any, *arguments: Any, **options: Any) -> Any:
        drawn.setdefault(axis.get_subplotspec().rowspan.start, []).append((list(x), list(y)))
        return plain(axis, x, y, *arguments, **options)

    monkeypatch.setattr(Axes, "plot", plot)
    draw_alignments(frame_of(rows, ALIGNMENT_COLUMNS), [PAIR], tmp_path / "figure.svg")
    assert drawn[2] == [([100, 1000], pytest.approx([0.6, 0.6]))] * 2


def test_what_is_undefined_or_not_configured_is_said(tmp_path: Path) -> None:
    nothing = dict.fromkeys(["accuracy", "mse", "upper_bound"])
    frame = frame_of(alignments([None], **nothing), ALIGNMENT_COLUMNS)
    draw_alignments(frame, [PAIR], tmp_path / "undefined.svg")
    assert "undefined: see the notes in the table" in texts(tmp_path / "undefined.svg")
    draw_alignments(frame.clear(), [], tmp_path / "none.svg")
    assert "no pair is configured" in texts(tmp_path / "none.svg")
    bases = frame_of([], BASES_COLUMNS), frame_of([], BASES_SUMMARY_COLUMNS)
    draw_bases(*bases, [], tmp_path / "bases.svg")
    assert "no pair is configured" in texts(tmp_path / "bases.svg")
    draw_bases(*bases, [PAIR], tmp_path / "bases.svg")
    assert "undefined: see the note in the table" in texts(tmp_path / "bases.svg")


def test_bases_show_their_energy_off_the_diagonal(tmp_path: Path) -> None:
    shared = {"model_a": "one", "model_b": "other"}
    rows = [
        shared | {"basis": basis, "i": i, "j": j, "correlation": float(i == j)}
        for basis in ("pca", "laplacian")
        for i in range(1, 6)
        for j in range(1, 4)
    ]
    told = [
        shared | {"basis": basis, "off_diagonal_energy": energy}
        for basis, energy in (("pca", 0.123), ("laplacian", 0.456))
    ]
    draw_bases(
        frame_of(rows, BASES_COLUMNS),
        frame_of(told, BASES_SUMMARY_COLUMNS),
        [PAIR],
        tmp_path / "bases.svg",
    )
    shown = texts(tmp_path / "bases.svg")
    assert "off the diagonal: 0.12" in shown
    assert "off the diagonal: 0.46" in shown
