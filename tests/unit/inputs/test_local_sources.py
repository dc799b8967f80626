"""Sources of plain files: image folders, IDX files, CSV files inside installed packages."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semasia.errors import RowCountError, SourceError
from semasia.files import sha256_of_file
from semasia.inputs import BenchmarkCard, PreparedSplit, open_split

from unit.inputs import tiny_hub

Prepare = Callable[..., PreparedSplit]


def card_of(
    source: dict, rows: dict[str, object], label: dict | None = None, **more: object
) -> BenchmarkCard:
    """Return a card called `mine` with one label column `label`."""
    splits = {split: n if isinstance(n, dict) else {"rows": n} for split, n in rows.items()}
    content = {"name": "mine", "title": "Mine", "licence": "CC0", "citation": "Mine."}
    labels = {"label": label or {}}
    return BenchmarkCard.model_validate(
        {**content, "source": source, "splits": splits, "labels": labels, **more}
    )


# Folders


def grow(root: Path, files: dict[str, int]) -> Path:
    """Write grey images of the given brightness."""
    for name, value in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (6, 5), value).save(path)
    return root


def folder_card(root: Path, rows: dict, label: dict | None = None, **more: object) -> BenchmarkCard:
    split_folders = more.pop("split_folders", True)
    source = {"kind": "folder", "path": str(root), "split_folders": split_folders}
    return card_of(source, rows, label, **more)


TREE = {
    "train/dog/b.png": 1,
    "train/dog/a.png": 2,
    "train/cat/z.bmp": 3,
    "train/cat/deep/er.png": 4,
    "test/dog/a.png": 5,
    "test/cat/a.PNG": 6,
}


def test_ids_of_a_folder_follow_its_sorted_paths(tmp_path: Path, prepare: Prepare):
    root = grow(tmp_path / "images", TREE)
    (root / "train" / "dog" / "notes.txt").write_text("no image")
    card = folder_card(root, {"train": 4, "test": 2})
    train = prepare(card, "train")
    assert train.ids.tolist() == [0, 1, 2, 3]
    assert [np.asarray(train.image(i)).max() for i in range(4)] == [4, 3, 2, 1]
    assert train.labels["label"].tolist() == [0, 0, 1, 1]
    assert train.labels["label"].dtype == np.int64
    assert train.facts.label_names == {"label": ["cat", "dog"]}
    assert train.facts.image_shape == [5, 6]
    test = prepare(card, "test")
    assert test.labels["label"].tolist() == [0, 1]
    assert [np.asarray(test.image(i)).max() for i in range(2)] == [6, 5]


def test_class_names_of_a_card_number_the_folders(tmp_path: Path, prepare: Prepare):
    root = grow(tmp_path / "images", TREE)
    card = folder_card(root, {"train": 4}, {"names": ["dog", "bird", "cat"]})
    train = prepare(card, "train")
    assert train.labels["label"].tolist() == [2, 2, 0, 0]
    assert train.facts.label_names == {"label": ["dog", "bird", "cat"]}


def test_a_folder_that_is_no_class_of_the_card_is_named(tmp_path: Path):
    root = grow(tmp_path / "images", TREE)
    card = folder_card(root, {"train": 4}, {"names": ["dog"]})
    with pytest.raises(SourceError, match=r"mine/train: folder .*/train/cat is none of the card's"):
        open_split(card, "train")


def test_a_class_has_one_number_in_all_splits(tmp_path: Path):
    """A class without images in one split must not shift the numbers of the others."""
    files = {"train/a/0.png": 1, "train/b/0.png": 2, "train/c/0.png": 3, "test/c/0.png": 4}
    root = grow(tmp_path / "images", files)
    card = folder_card(root, {"train": 3, "test": 1})
    number = {}
    for split in ("train", "test"):
        try:
            number[split] = int(open_split(card, split).labels["label"][-1])
        except SourceError:
            return  # refusing a split whose classes cannot be told is right as well
    assert number["train"] == number["test"]


def test_folds_cut_a_folder_without_splits(tmp_path: Path):
    files = {f"{c}/{i}.png": i for c in ("a", "b") for i in range(5)}
    splits = {"train": {"rows": 8, "folds": [0, 1, 2, 3]}, "test": {"rows": 2, "folds": [4]}}
    root = grow(tmp_path / "images", files)
    card = folder_card(root, splits, split_folders=False, folds=5)
    train, test = open_split(card, "train"), open_split(card, "test")
    assert test.ids.tolist() == [4, 9]
    assert test.labels["label"].tolist() == [0, 1]
    assert sorted([*train.ids, *test.ids]) == list(range(10))


def test_an_image_outside_a_class_folder_is_named(tmp_path: Path):
    root = grow(tmp_path / "images", {**TREE, "train/stray.png": 9})
    with pytest.raises(SourceError, match=r"mine/train: .*stray\.png lies in no class folder.*lab"):
        open_split(folder_card(root, {"train": 5}), "train")


def test_a_missing_folder_is_named(tmp_path: Path):
    with pytest.raises(SourceError, match=r"mine/train: there is no folder .*nowhere/train"):
        open_split(folder_card(tmp_path / "nowhere", {"train": 5}), "train")


def test_a_folder_cannot_have_two_labels(tmp_path: Path):
    card = folder_card(tmp_path, {"train": 5}, labels={"a": {}, "b": {}})
    with pytest.raises(SourceError, match=r"one label, but the card names \['a', 'b'\]"):
        open_split(card, "train")


def test_an_unknown_split_is_refused_with_those_there_are(tmp_path: Path):
    card = folder_card(tmp_path, {"train": 5, "test": 2})
    with pytest.raises(SourceError, match=r"mine: unknown split 'valid'; the card has train, test"):
        open_split(card, "valid")


# IDX

IMAGES = np.arange(7 * 4 * 3, dtype=np.uint8).reshape(7, 4, 3)
LABELS = np.array([3, 0, 1, 2, 3, 3, 0], np.uint8)


def idx(array: np.ndarray) -> bytes:
    """Return an array as an IDX file of unsigned bytes."""
    return struct.pack(f">2xBB{array.ndim}I", 0x08, array.ndim, *array.shape) + array.tobytes()


def idx_card(folder: Path, rows: int = 7) -> BenchmarkCard:
    source = {
        "kind": "idx",
        "path": str(folder),
        "images": {"train": "images"},
        "label_files": {"train": "labels"},
    }
    return card_of(source, {"train": rows, "test": rows}, {"classes": 4})


def write_idx(folder: Path, images: bytes | None = None, labels: bytes | None = None) -> Path:
    (folder / "images").write_bytes(idx(IMAGES) if images is None else images)
    (folder / "labels").write_bytes(idx(LABELS) if labels is None else labels)
    return folder


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
def test_idx_files_give_their_pixels_and_labels(
    pack: Callable[[bytes], bytes], tmp_path: Path, prepare: Prepare
):
    write_idx(tmp_path, pack(idx(IMAGES)), pack(idx(LABELS)))
    train = prepare(idx_card(tmp_path), "train")
    assert train.ids.tolist() == list(range(7))
    assert train.labels["label"].tolist() == LABELS.tolist()
    assert train.facts.image_shape == [4, 3]
    assert all(np.array_equal(np.asarray(train.image(i)), IMAGES[i]) for i in range(7))
    assert train.facts.origin == {
        "images_sha256": sha256_of_file(tmp_path / "images"),
        "labels_sha256": sha256_of_file(tmp_path / "labels"),
    }


def test_idx_files_of_four_dimensions_are_colour(tmp_path: Path, prepare: Prepare):
    colour = np.random.default_rng(0).integers(0, 256, (7, 4, 5, 3)).astype(np.uint8)
    train = prepare(idx_card(write_idx(tmp_path, idx(colour))), "train")
    assert train.facts.image_shape == [4, 5, 3]
    assert all(np.array_equal(np.asarray(train.image(i)), colour[i]) for i in range(7))


def test_large_images_from_arrays_are_stored_as_png(tmp_path: Path, prepare: Prepare):
    large = np.random.default_rng(0).integers(0, 256, (2, 230, 240)).astype(np.uint8)
    write_idx(tmp_path, idx(large), idx(LABELS[:2]))
    train = prepare(idx_card(tmp_path, rows=2), "train")
    assert train.facts.image_shape is None
    assert all(np.array_equal(np.asarray(train.image(i)), large[i]) for i in range(2))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (idx(IMAGES)[:-1], r"holds 99 bytes, but its header says \(7, 4, 3\), 100 bytes"),
        (idx(IMAGES) + b"\0", r"holds 101 bytes, but its header says \(7, 4, 3\), 100 bytes"),
        (idx(IMAGES)[:9], r"the file is damaged; fetch it again"),
        (b"\0\0\x0d\x03" + idx(IMAGES)[4:], r"is not an IDX file of uint8 \(starts with 00000d03"),
        (b"\x89PNG\r\n", r"is not an IDX file of uint8 \(starts with 89504e47"),
        (b"", r"is not an IDX file of uint8"),
        (
            idx(LABELS),
            r"array of shape \(7,\) and .* \(n, h, w\) or \(n, h, w, 3\), and \(n,\), are",
        ),
        (idx(IMAGES[:5]), r"array of shape \(5, 4, 3\) and .* one of shape \(7,\)"),
        (gzip.compress(idx(IMAGES))[:-20], r"cannot be read"),
        (gzip.compress(idx(IMAGES))[:-8] + bytes(8), r"cannot be read"),
    ],
    ids=[
        "short",
        "long",
        "header",
        "type",
        "png",
        "empty",
        "labels",
        "fewer",
        "gz_short",
        "gz_checksum",
    ],
)
def test_a_damaged_idx_file_is_named(images: bytes, message: str, tmp_path: Path):
    write_idx(tmp_path, images)
    with pytest.raises(SourceError, match=message) as caught:
        open_split(idx_card(tmp_path), "train")
    assert str(tmp_path / "images") in str(caught.value)
    assert str(caught.value).startswith("mine")


def test_a_gzipped_idx_file_with_a_flipped_bit_is_named(tmp_path: Path):
    packed = bytearray(gzip.compress(idx(np.tile(IMAGES, (50, 1, 1)))))
    packed[30] ^= 0xFF
    write_idx(tmp_path, bytes(packed))
    with pytest.raises(SourceError, match="cannot be read"):
        open_split(idx_card(tmp_path, rows=350), "train")


def test_a_missing_idx_file_says_where_to_put_it(tmp_path: Path):
    with pytest.raises(SourceError, match=r"/images is not there\. Put the file there, or say"):
        open_split(idx_card(tmp_path), "train")


def test_a_split_without_an_idx_file_is_named(tmp_path: Path):
    write_idx(tmp_path)
    with pytest.raises(SourceError, match=r"mine/test: the card's `source.images` names no file"):
        open_split(idx_card(tmp_path), "test")


def test_an_idx_source_has_one_label_column(tmp_path: Path):
    write_idx(tmp_path)
    card = idx_card(tmp_path)
    card = card.model_copy(update={"labels": {}})
    with pytest.raises(SourceError, match=r"kind 'idx' has one label column, but the card names"):
        open_split(card, "train")


# Packages


def csv_of(card: BenchmarkCard) -> list[list[str]]:
    """Read a package's CSV without this project's code."""
    spec = importlib.util.find_spec(card.source.package)
    assert spec is not None
    assert spec.submodule_search_locations
    path = Path(spec.submodule_search_locations[0]) / card.source.file
    with gzip.open(path, "rt", encoding="ascii", newline="") as file:
        return list(csv.reader(file))


def folds_of(rows: list[list[str]], folds: int) -> list[int]:
    """Return the fold of each row: how many of its class came before it, modulo ``folds``."""
    seen: dict[str, int] = {}
    result = []
    for row in rows:
        label = str(int(float(row[-1])))
        result.append(seen.get(label, 0) % folds)
        seen[label] = seen.get(label, 0) + 1
    return result


@pytest.mark.parametrize(
    ("name", "sizes", "white"),
    [
        ("mnist_5k", {"train": 4000, "test": 1000}, 255),
        ("digits", {"train": 1442, "test": 355}, 16),
    ],
)
def test_a_package_benchmark_is_its_csv_cut_by_folds(
    name: str, sizes: dict[str, int], white: int, prepare: Prepare
):
    card = tiny_hub.card_of(name)
    rows = csv_of(card)
    folds = folds_of(rows, 5)
    for split, wanted in (("train", {0, 1, 2, 3}), ("test", {4})):
        prepared = prepare(card, split)
        expected = [i for i, fold in enumerate(folds) if fold in wanted]
        assert len(prepared) == sizes[split]
        assert prepared.ids.tolist() == expected
        assert prepared.labels["label"].tolist() == [int(float(rows[i][-1])) for i in expected]
        assert prepared.facts.label_names == {"label": [str(digit) for digit in range(10)]}
        assert prepared.facts.image_shape == list(card.source.shape)
        for position in (0, len(expected) // 2, len(expected) - 1):
            pixels = [round(float(v) * 255 / white) for v in rows[expected[position]][:-1]]
            assert np.asarray(prepared.image(position)).ravel().tolist() == pixels
        assert prepared.facts.origin == {
            "distribution": card.source.distribution,
            "file_sha256": card.source.sha256,
        }


def with_source(card: BenchmarkCard, **update: object) -> BenchmarkCard:
    return card.model_copy(update={"source": card.source.model_copy(update=update)})


@pytest.mark.parametrize("package", ["no_such_package_here", "no_such_package_here.data"])
def test_a_missing_package_says_what_to_install(package: str):
    card = with_source(tiny_hub.card_of("digits"), package=package, distribution="absent==1.2.3")
    with pytest.raises(SourceError, match=r"is not installed: pip install 'absent==1\.2\.3'") as e:
        open_split(card, "train")
    assert repr(package) in str(e.value)


def test_a_package_without_the_file_says_what_to_install():
    card = with_source(tiny_hub.card_of("digits"), file="datasets/data/none.csv.gz")
    with pytest.raises(SourceError, match=r"its file 'datasets/data/none.csv.gz' is not installed"):
        open_split(card, "train")


def test_a_changed_file_of_a_package_is_refused_with_both_digests():
    card = tiny_hub.card_of("digits")
    with pytest.raises(SourceError) as caught:
        open_split(with_source(card, sha256="0" * 64), "train")
    message = str(caught.value)
    assert f"has SHA-256 {card.source.sha256}, but the card says {'0' * 64}" in message
    assert "pip install 'scikit-learn==1.9.1'" in message


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., BenchmarkCard]:
    """Install a package whose import fails, with a CSV; returns its card."""

    def install(text: str, rows: int) -> BenchmarkCard:
        folder = tmp_path / "site" / "shipped_images"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("raise RuntimeError('a data package is not imported')")
        (folder / "data.csv").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        source = {
            "kind": "package",
            "package": "shipped_images",
            "distribution": "shipped-images==1",
            "file": "data.csv",
            "sha256": sha256_of_file(folder / "data.csv"),
            "shape": [1, 2],
            "max_value": 4,
        }
        return card_of(source, {"train": rows}, {"classes": 2})

    return install


def test_a_package_is_read_without_being_imported(
    package: Callable[..., BenchmarkCard], prepare: Prepare
):
    train = prepare(package("0,4,1\n1,2,0\n3,0,1\n", 3), "train")
    assert [np.asarray(train.image(i)).tolist() for i in range(3)] == [
        [[0, 255]],
        [[64, 128]],
        [[191, 0]],
    ]
    assert train.labels["label"].tolist() == [1, 0, 1]
    assert "shipped_images" not in sys.modules


def test_a_csv_of_another_width_is_refused(package: Callable[..., BenchmarkCard]):
    card = package("0,4,0,1\n1,2,0,0\n", 2)
    with pytest.raises(SourceError, match=r"has 4 columns; 1×2 pixels and a label make 3"):
        open_split(card, "train")


def test_a_package_with_another_number_of_rows_is_refused(package: Callable[..., BenchmarkCard]):
    with pytest.raises(RowCountError, match=r"mine/train: the source has 2 rows, .* says 3"):
        open_split(package("0,4,1\n1,2,0\n", 3), "train")
