"""Tables as they are found: files that differ, labels counted differently, cells of all kinds."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from semasia.errors import SourceError
from semasia.inputs import InputsCard, PreparedSplit, open_split

Prepare = Callable[..., PreparedSplit]
WORDS = ["cat", "dog", "fox"]


def png(value: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (5, 5), (value, value, value)).save(buffer, "PNG")
    return buffer.getvalue()


def card_of(kind: str, path: Path, label: dict | None = None, **rows: int) -> InputsCard:
    files = {k: v for k, v in rows.items() if k == "files"}
    rows = {k: v for k, v in rows.items() if k != "files"}
    return InputsCard.model_validate(
        {
            "name": "mine",
            "source": {"kind": kind, "path": str(path), **files},
            "splits": {split.replace("_", "-"): {"rows": n} for split, n in rows.items()},
            "labels": {"label": label or {}},
        }
    )


def dataset_of(names: list[str], words: list[str] = WORDS) -> datasets.Dataset:
    features = datasets.Features(image=datasets.Image(), label=datasets.ClassLabel(names=names))
    content = {
        "image": [{"bytes": png(i), "path": None} for i in range(len(words))],
        "label": [names.index(word) for word in words],
    }
    return datasets.Dataset.from_dict(content, features=features)


def write(path: Path, labels: Any = (0, 1), image: pa.Array | None = None, **more: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    cells = [{"bytes": png(i), "path": None} for i in range(len(labels))]
    image = pa.array(cells, kind) if image is None else image
    labels = labels if isinstance(labels, pa.Array) else pa.array(labels, pa.int64())
    pq.write_table(pa.table({"image": image, "label": labels, **more}), path)


# One number for one class


def _saved(folder: Path, **names: list[str]) -> str:
    datasets.DatasetDict({s: dataset_of(n) for s, n in names.items()}).save_to_disk(str(folder))
    return "saved"


def _parquet(folder: Path, **names: list[str]) -> str:
    folder.mkdir()
    for split, order in names.items():
        dataset_of(order).to_parquet(str(folder / f"{split}-00000-of-00001.parquet"))
    return "parquet"


@pytest.mark.parametrize("make", [_saved, _parquet])
@pytest.mark.parametrize("stated", [None, ["dog", "fox", "cat"]])
def test_a_word_is_one_number_in_all_splits(
    make: Callable[..., str], stated: list[str] | None, tmp_path: Path, prepare: Prepare
):
    kind = make(tmp_path / "s", train=WORDS, test=["fox", "cat", "dog"])
    card = card_of(kind, tmp_path / "s", {"names": stated}, train=3, test=3)
    order = stated or WORDS
    for split in ("test", "train"):
        prepared = prepare(card, split)
        assert prepared.labels["label"].tolist() == [order.index(word) for word in WORDS]
        assert prepared.facts.label_names == {"label": order}
        said = prepared.facts.origin.get("label_renumbered")
        by = "the card" if stated else "the first split"
        told = f"by the class names of {by}" if stated or split == "test" else None
        assert said == told


@pytest.mark.parametrize("make", [_saved, _parquet])
@pytest.mark.parametrize("names", [["cat", "dog"], [*WORDS, "owl"], ["cat", "dog", "Fox"]])
def test_other_words_in_another_split_are_refused(
    make: Callable[..., str], names: list[str], tmp_path: Path
):
    (tmp_path / "s").mkdir()
    words = names[:2]
    datasets.DatasetDict(train=dataset_of(WORDS), test=dataset_of(names, words)).save_to_disk(
        str(tmp_path / "s" / "saved")
    )
    card = card_of("saved", tmp_path / "s" / "saved", train=3, test=2)
    with pytest.raises(SourceError, match=r"are not those of the first split \(\d and 3 names\)"):
        open_split(card, "test")


def test_files_of_one_split_count_as_its_first(tmp_path: Path, prepare: Prepare):
    for part, order in enumerate((WORDS, ["fox", "dog", "cat"])):
        dataset_of(order).to_parquet(str(tmp_path / f"train-{part}.parquet"))
    prepared = prepare(card_of("parquet", tmp_path, train=6), "train")
    assert prepared.labels["label"].tolist() == [0, 1, 2, 0, 1, 2]
    dataset_of(["cat", "dog", "owl", "fox"]).to_parquet(str(tmp_path / "train-2.parquet"))
    with pytest.raises(SourceError, match=r"train-2\.parquet: the class names of 'label' are not"):
        open_split(card_of("parquet", tmp_path, train=9), "train")
    write(tmp_path / "train-2.parquet")
    with pytest.raises(SourceError, match=r"train-2\.parquet: names no classes of 'label', but"):
        open_split(card_of("parquet", tmp_path, train=8), "train")


def test_a_split_that_names_no_classes_beside_one_that_does_is_refused(tmp_path: Path):
    dataset_of(WORDS).to_parquet(str(tmp_path / "train-0.parquet"))
    write(tmp_path / "test-0.parquet")
    card = card_of("parquet", tmp_path, train=3, test=2)
    with pytest.raises(SourceError, match="names no classes of 'label', but those of the first"):
        open_split(card, "test")
    named = card_of("parquet", tmp_path, {"names": WORDS}, train=3, test=2)
    assert open_split(named, "test").names == {"label": tuple(WORDS)}


def test_two_classes_of_one_name_are_refused_where_the_source_has_them(tmp_path: Path):
    write(tmp_path / "train-0.parquet")
    table = pq.read_table(tmp_path / "train-0.parquet")
    names = {"label": {"names": ["crane", "crane"], "_type": "ClassLabel"}}
    text = json.dumps({"info": {"features": names}})
    pq.write_table(
        table.replace_schema_metadata({b"huggingface": text}), tmp_path / "train-0.parquet"
    )
    with pytest.raises(SourceError, match=r"train-0\.parquet: 'label': classes 0 and 1 are both"):
        open_split(card_of("parquet", tmp_path, train=2), "train")


# Which rows a split has


def test_a_split_takes_no_other_splits_files(tmp_path: Path):
    sizes = {"test": 2, "test-other": 3, "test-2": 4}
    for split, n in sizes.items():
        write(tmp_path / f"{split}-00000-of-00001.parquet", [0] * n)
    write(tmp_path / "test-2.parquet", [0] * 5)
    card = card_of("parquet", tmp_path, test=2, test_other=3, test_2=9)
    for split, n in {**sizes, "test-2": 9}.items():
        assert open_split(card, split).rows == n
    alone = card_of("parquet", tmp_path, test=2)
    with pytest.raises(SourceError, match=r"Left out: 2 files not taken: test-2-00000-of-00001"):
        open_split(alone.model_copy(update={"splits": {"test": alone.splits["test"]}}), "test")


@pytest.mark.parametrize(
    "name", ["train-0.parquet", "train.parquet", "train-00000-of-00001-0a1b2c3d4e.parquet"]
)
def test_usual_names_of_files_are_found(name: str, tmp_path: Path):
    write(tmp_path / name)
    assert open_split(card_of("parquet", tmp_path, train=2), "train").rows == 2


def test_one_file_for_two_splits_is_refused(tmp_path: Path):
    write(tmp_path / "all.parquet")
    card = card_of(
        "parquet", tmp_path, files={"train": "*.parquet", "test": "all*"}, train=2, test=2
    )
    with pytest.raises(
        SourceError, match=r"all\.parquet is taken by two splits, 'train' and 'test'"
    ):
        open_split(card, "train")


def test_one_saved_dataset_for_two_splits_is_refused(tmp_path: Path):
    dataset_of(WORDS).save_to_disk(str(tmp_path / "s"))
    assert open_split(card_of("saved", tmp_path / "s", train=3), "train").rows == 3
    for split in ("train", "test"):
        with pytest.raises(SourceError, match="is one saved dataset, and the card has the splits"):
            open_split(card_of("saved", tmp_path / "s", train=3, test=3), split)


@pytest.mark.parametrize("kind", ["saved", "parquet"])
def test_folds_cut_a_table_without_splits(kind: str, tmp_path: Path):
    words = [w for w in WORDS for _ in range(4)]
    if kind == "saved":
        dataset_of(WORDS, words).save_to_disk(str(tmp_path / "s"))
    else:
        (tmp_path / "s").mkdir()
        dataset_of(WORDS, words).to_parquet(str(tmp_path / "s" / "all.parquet"))
    content = {
        "name": "mine",
        "source": {"kind": kind, "path": str(tmp_path / "s")},
        "folds": 4,
        "splits": {"train": {"rows": 9, "folds": [0, 1, 2]}, "test": {"rows": 3, "folds": [3]}},
        "labels": {"label": {}},
    }
    if kind == "parquet":
        content["source"]["files"] = {"train": "all.parquet", "test": "all.parquet"}
    opened = [open_split(InputsCard.model_validate(content), s) for s in ("train", "test")]
    assert opened[1].ids.tolist() == [3, 7, 11]
    assert sorted([*opened[0].ids, *opened[1].ids]) == list(range(12))
    assert opened[1].labels["label"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "remembered",
    [
        lambda d: d.with_format("numpy"),
        lambda d: d.with_format("torch", columns=["image"]),
        lambda d: d.with_format("pandas", columns=["label"]),
        lambda d: dataset_of(WORDS, ["fox", *WORDS]).select([1, 2, 3]),
        lambda d: dataset_of(WORDS, WORDS[::-1]).sort("label"),
    ],
    ids=["format", "columns", "columns_without_image", "indices", "sorted"],
)
def test_what_a_saved_dataset_remembers_changes_nothing(
    remembered: Callable[[datasets.Dataset], datasets.Dataset], tmp_path: Path, prepare: Prepare
):
    remembered(dataset_of(WORDS)).save_to_disk(str(tmp_path / "s"))
    prepared = prepare(card_of("saved", tmp_path / "s", train=3), "train")
    assert prepared.labels["label"].tolist() == [0, 1, 2]
    assert prepared.ids.tolist() == [0, 1, 2]


def test_a_file_replaced_with_its_size_and_times_is_read_anew(tmp_path: Path, prepare: Prepare):
    path = tmp_path / "train-0.parquet"
    write(path, [0, 1])
    card = card_of("parquet", tmp_path, train=2)
    before = prepare(card, "train", folder="before").facts
    was = path.stat()
    write(path, [1, 0])
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert path.stat().st_size == was.st_size
    prepared = prepare(card, "train", folder="after")
    assert prepared.labels["label"].tolist() == [1, 0]
    assert prepared.facts.origin["content_sha256"] != before.origin["content_sha256"]


# What a cell may hold


@pytest.mark.parametrize(
    "image",
    [
        pa.array([png(0), png(1)], pa.binary()),
        pa.array([png(0), png(1)], pa.large_binary()),
        pa.array([{"bytes": png(0)}, {"bytes": png(1)}]),
        pa.array([{"path": "0.png", "bytes": png(0)}, {"path": "1.png", "bytes": png(1)}]),
        pa.array([png(0), png(1)]).dictionary_encode(),
    ],
    ids=["binary", "large_binary", "bytes_alone", "with_path", "dictionary"],
)
def test_encoded_images_in_any_column_of_bytes(image: pa.Array, tmp_path: Path, prepare: Prepare):
    write(tmp_path / "train-0.parquet", image=image)
    prepared = prepare(card_of("parquet", tmp_path, train=2), "train")
    assert [np.asarray(prepared.image(i)).max() for i in range(2)] == [0, 1]


def test_encoded_images_in_a_saved_column_of_bytes(tmp_path: Path, prepare: Prepare):
    features = datasets.Features(image=datasets.Value("binary"), label=datasets.Value("int64"))
    content = {"image": [png(3), png(4)], "label": [0, 1]}
    datasets.Dataset.from_dict(content, features=features).save_to_disk(str(tmp_path / "s"))
    prepared = prepare(card_of("saved", tmp_path / "s", train=2), "train")
    assert [np.asarray(prepared.image(i)).max() for i in range(2)] == [3, 4]


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (pa.array([0, 1, None, 1]), "has no value in 1 of 4 rows, first at id 2"),
        (pa.array([None, None, 0, 1]), "has no value in 2 of 4 rows, first at id 0"),
        (pa.array([0, 1, float("nan"), 1]), "has no value in 1 of 4 rows, first at id 2"),
        (pa.array([None] * 4), "has no value in 4 of 4 rows, first at id 0"),
        (pa.array(["a", None, "b", "c"]), "has no value in 1 of 4 rows, first at id 1"),
        (pa.array([0.0, 1, 0, 1]), "holds double, not integers"),
        (pa.array([0, 1, 2**63, 1], pa.uint64()), "holds 9223372036854775808, more than int64"),
    ],
    ids=["null", "first", "nan", "all", "strings", "floats", "beyond"],
)
def test_labels_that_are_missing_or_no_integers(labels: pa.Array, told: str, tmp_path: Path):
    write(tmp_path / "train-0.parquet", [0, 1])
    write(tmp_path / "train-1.parquet", labels)
    with pytest.raises(SourceError) as caught:
        open_split(card_of("parquet", tmp_path, train=6), "train")
    said = str(caught.value)
    for word, number in (("id 2", "id 4"), ("id 0", "id 2"), ("id 1", "id 3")):
        if told.endswith(word):
            told = told.replace(word, number)
            break
    assert f"label column 'label' {told}" in said
    assert "train-1.parquet" in said


# Files that differ


def test_files_without_rows_or_with_more_columns_are_no_fault(tmp_path: Path, prepare: Prepare):
    write(tmp_path / "train-0.parquet", [])
    write(tmp_path / "train-1.parquet")
    write(tmp_path / "train-2.parquet", pa.array([2], pa.uint8()), note=pa.array(["x"]))
    pq.write_table(pa.table({}), tmp_path / "train-3.parquet")
    prepared = prepare(card_of("parquet", tmp_path, train=3), "train")
    assert prepared.labels["label"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda p: p.write_bytes(p.read_bytes()[:-100]), "is not a whole Parquet file"),
        (lambda p: p.write_bytes(b""), "is not a whole Parquet file"),
        (lambda p: (p.unlink(), p.mkdir()), "cannot be read (Is a directory)"),
        (
            lambda p: pq.write_table(pa.table({"label": [0]}), p),
            "has no column 'image'; it has label",
        ),
        (lambda p: write(p, pa.array(["a"])), "label column 'label' holds string, not integers"),
        (lambda p: write(p, [0], image=pa.array([3])), "holds no image at row 2"),
    ],
    ids=["truncated", "empty", "folder", "column", "type", "cell"],
)
def test_a_fault_is_told_of_the_file_that_has_it(
    damage: Callable[[Path], object], told: str, tmp_path: Path, prepare: Prepare
):
    write(tmp_path / "train-0.parquet")
    write(tmp_path / "train-1.parquet", [0])
    damage(tmp_path / "train-1.parquet")
    with pytest.raises(SourceError) as caught:
        prepare(card_of("parquet", tmp_path, train=3), "train")
    assert told in str(caught.value)
    assert "train-1.parquet" in str(caught.value)
    assert "train-0.parquet" not in str(caught.value)
