"""Each fault against each analysis: a failure stops only itself and is never silent."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from semasia.comparison.bases_table import BASES_COLUMNS
from semasia.comparison.transfer import TRANSFER_COLUMNS
from semasia.errors import SemasiaError
from semasia.figures import (
    draw_alignments,
    draw_bases,
    draw_metrics,
    draw_probes,
    draw_similarities,
    draw_transfers,
    write_geometry_page,
    write_probes_page,
)
from semasia.latents import Shard
from semasia.tables import frame_of

from unit.rows.making import MODELS, PROBE, write_shard

Analyses = dict[str, Callable[[Path, tuple[str, ...]], dict[str, pl.DataFrame]]]

ALL = ("geometry", "probes", "graphs", "similarity", "alignment", "transfer", "bases", "projection")
# Those that read the training split too.
FITTED = ("geometry", "probes", "alignment", "transfer")
BAD = "b.x"


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def make_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def garble(path: Path) -> None:
    """Overwrite bytes of the first column chunk of latents, which can then not be decoded."""
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 200] = b"\xff" * 200
    path.write_bytes(data)


def flip(path: Path) -> None:
    """Flip the first bit that leaves a shard that opens with finite values, one of them another."""
    data, whole = path.read_bytes(), Shard(path).embeddings()
    for place in range(len(data) // 8, len(data)):
        changed = bytearray(data)
        changed[place] ^= 0x40
        path.write_bytes(changed)
        try:
            found = np.concatenate(list(Shard(path).blocks()))
        except SemasiaError:
            continue
        if not np.array_equal(found, whole):
            return
    raise AssertionError("no such bit")


def take_anothers(path: Path) -> None:
    shutil.copyfile(path.parent.parent / "c.x" / path.name, path)


def take_the_other_splits(path: Path) -> None:
    other = "train" if path.stem == "test" else "test"
    shutil.copyfile(path.with_stem(other), path)


FLIPPED = "a flipped bit"
FAULTS = {
    "truncated": (truncate, "is not a whole Parquet file"),
    "empty": (empty, "is not a whole Parquet file"),
    "missing": (Path.unlink, "there is no such shard"),
    "a folder": (make_a_folder, "b.x"),
    "garbled": (garble, "b.x"),
    FLIPPED: (flip, "latents are not those that were written: their SHA-256 is"),
    "another model's": (take_anothers, "provenance says model 'c.x', but 'b.x' was asked for"),
    "another split's": (take_the_other_splits, "provenance says split"),
}


@pytest.fixture
def results(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "results"))


def shard(results: Path, model: str, split: str) -> Path:
    return results / "latents" / "b" / model / f"{split}.parquet"


def of(frame: pl.DataFrame, model: str, involved: bool) -> pl.DataFrame:
    """Return the rows that are of a model, or of none but others."""
    columns = ("model_name", "model_a", "model_b", "probe_model", "latents_model")
    mask = pl.any_horizontal(pl.col(c) == model for c in columns if c in frame.columns)
    return frame.filter(mask if involved else ~mask)


# What a row is of, and what a table says of a shard whatever its values.
KEYS = {
    *("benchmark", "split", "fit_split", "test_split", "model_name", "model_a", "model_b"),
    *("probe_model", "latents_model", "recipe", "measure", "parameter", "method", "kind"),
    *("basis", "anchor", "anchor_rows", "seed", "note"),
}


def check(frame: pl.DataFrame, before: pl.DataFrame, told: str, file: Path) -> None:
    """Hold the rows of others to what they were, and those of the bad model to a note."""
    if "svg" in frame.columns:
        shown = "".join(re.findall(r"<!-- (.*?) -->", frame["svg"].item(), re.DOTALL))
        shown = re.sub(r"\s", "", shown)
        assert re.sub(r"\s", "", told) in shown and re.sub(r"\s", "", str(file)) in shown
        assert all(model in shown for model in MODELS)
        return
    assert of(frame, BAD, False).equals(of(before, BAD, False))
    bad = of(frame, BAD, True)
    assert len(bad) and set(bad.columns) == set(before.columns)
    for column in set(bad.columns) - KEYS:
        assert bad[column].null_count() == len(bad), column
    assert bad["note"].str.contains(told, literal=True).all()
    assert bad["note"].str.contains(str(file), literal=True).all()
    assert bad["benchmark"].eq("b").all()


@pytest.mark.parametrize("analysis", ALL)
def test_a_bad_shard_is_a_note_and_takes_nothing_from_the_others(
    analysis: str, written: Path, tmp_path: Path, analyses: Analyses
) -> None:
    run = analyses[analysis]
    results = tmp_path / "results"
    shutil.copytree(written, results)
    # Every panel of a projection takes half a second.
    faults = FAULTS if analysis != "projection" else {n: FAULTS[n] for n in ("missing", FLIPPED)}
    for name, (damage, told) in faults.items():
        kept = tmp_path / "kept"
        shutil.rmtree(kept, ignore_errors=True)
        [before] = run(results, MODELS).values()
        path = shard(results, BAD, "test")
        whole = path.read_bytes()
        damage(path)
        # With nothing kept, and with what was kept of the sound shard.
        [served] = run(results, MODELS).values()
        shutil.rmtree(kept, ignore_errors=True)
        [made] = run(results, MODELS).values()
        for frame in (served, made):
            check(frame, before, told, path)
        # The last job of alignment is of two other models.
        assert str(path) in (tmp_path / "job.log").read_text() or analysis == "alignment", name
        # Put right, it has its rows again: what was made meanwhile is not taken for them.
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        path.write_bytes(whole)
        [after] = run(results, MODELS).values()
        assert after.equals(before), name


@pytest.mark.parametrize("analysis", FITTED)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_split_that_is_fitted_on(
    analysis: str, fault: str, results: Path, analyses: Analyses
) -> None:
    run = analyses[analysis]
    [before] = run(results, MODELS).values()
    damage, told = FAULTS[fault]
    path = shard(results, BAD, "train")
    whole = path.read_bytes()
    damage(path)
    [frame] = run(results, MODELS).values()
    if analysis in ("alignment", "transfer"):
        check(frame, before, told, path)
    else:
        assert of(frame, BAD, False).equals(of(before, BAD, False))
        bad = of(frame, BAD, True)
        assert bad["note"].str.contains(told, literal=True).all()
        assert bad["note"].str.contains(str(path), literal=True).all()
        if analysis == "geometry":
            # What needs no probe is as it was.
            metrics = [c for c in frame.columns if not c.startswith("probe_") and c != "note"]
            assert frame[metrics].equals(before[metrics])
        probed = [c for c in frame.columns if c.startswith("probe_") or c == "accuracy"]
        assert all(bad[c].null_count() == len(bad) for c in probed)
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    path.write_bytes(whole)
    [after] = run(results, MODELS).values()
    assert after.equals(before)


@pytest.mark.parametrize("analysis", ALL)
def test_all_bad_one_model_and_none(
    analysis: str, results: Path, analyses: Analyses, tmp_path: Path
) -> None:
    run = analyses[analysis]
    tables = {}
    for models in ((), MODELS[:1], MODELS):
        if models == MODELS:
            for model, damage in zip(MODELS, (truncate, flip, Path.unlink), strict=True):
                damage(shard(results, model, "test"))
        [frame] = run(results, models).values()
        tables[models] = frame
        draw(analysis, frame, tmp_path)
    if analysis != "projection":
        assert tables[()].is_empty()
        found = tables[MODELS]
        assert len(found) and found["note"].is_not_null().all()
        values = set(found.columns) - KEYS
        assert all(found[c].null_count() == len(found) for c in values)


def draw(analysis: str, frame: pl.DataFrame, folder: Path) -> None:
    """Make the pages and figures of a table."""
    svg, page = folder / "figure.svg", folder / "page.html"
    pairs = [{"a": a, "b": b, "differ_in": None} for a in MODELS for b in MODELS if a < b]
    if analysis == "geometry":
        draw_metrics(frame, svg)
        draw_probes(frame, svg)
        write_geometry_page(frame, page, title="t", targets=3)
    elif analysis == "probes":
        write_probes_page(frame, page, title="t")
    elif analysis == "similarity":
        draw_similarities(frame, frame_of([], TRANSFER_COLUMNS), svg)
    elif analysis == "alignment":
        draw_alignments(frame, pairs, svg)
    elif analysis == "transfer":
        draw_transfers(frame, svg)
    elif analysis == "bases":
        draw_bases(frame_of([], BASES_COLUMNS), frame, pairs, svg)


@pytest.mark.parametrize("analysis", FITTED)
def test_class_numbers_that_mean_another_class_in_each_split(
    analysis: str, tmp_path: Path, analyses: Analyses
) -> None:
    names = ["cat", "dog", "fox", "owl"]
    for seed, model in enumerate(MODELS):
        for split in ("train", "test"):
            order = names[::-1] if model == BAD and split == "test" else names
            write_shard(tmp_path / "results", model, split, seed, names=order)
    [frame] = analyses[analysis](tmp_path / "results", MODELS).values()
    told = "class 0 of 'label' is 'cat' in the first and 'owl' in the second"
    bad = of(frame, BAD, True)
    assert bad["note"].str.contains(told, literal=True).all()
    accuracy = "probe_accuracy" if analysis == "geometry" else "accuracy"
    assert bad[accuracy].null_count() == len(bad)
    rest = of(frame, BAD, False)
    assert rest.filter(pl.col(accuracy).is_not_null()).height
    assert not rest["note"].fill_null("").str.contains(told, literal=True).any()


def test_latents_of_two_widths_and_labels_that_are_not_there(
    results: Path, analyses: Analyses, monkeypatch: pytest.MonkeyPatch
) -> None:
    [before] = analyses["geometry"](results, MODELS).values()
    path = shard(results, BAD, "train")
    whole = path.read_bytes()
    path.unlink()
    write_shard(results, BAD, "train", seed=9, width=5)
    for analysis in FITTED:
        [frame] = analyses[analysis](results, MODELS).values()
        bad = of(frame, BAD, True)
        assert bad["note"].str.contains(f"{path} has vectors of 5, ", literal=True).all(), analysis
        if analysis == "geometry":
            assert frame["total_spread"].equals(before["total_spread"])
    path.write_bytes(whole)
    monkeypatch.setitem(PROBE, "labels", ["other"])
    # An alignment is scored by the labels that there are.
    for analysis in ("geometry", "probes", "transfer"):
        [frame] = analyses[analysis](results, MODELS).values()
        assert frame["note"].str.contains("has no label 'other'").all(), analysis
        if analysis == "geometry":
            assert frame["total_spread"].equals(before["total_spread"])
