"""The local files that a split is read from, whatever the kind of its source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pytest
from PIL import Image

from semasia.errors import SourceError
from semasia.inputs import InputsCard, PreparedSplit
from semasia.inputs.content import planned_content, split_content
from semasia.inputs.sources.files import source_files

SPLITS = ("train", "test")


def _folder(root: Path) -> dict:
    for split in SPLITS:
        for name in ("cat/0.png", "dog/1.png", "dog/._1.png", "dog/notes.txt"):
            path = root / split / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (4, 4), 7).save(path, "PNG")
    return {"kind": "folder"}


def _dataset() -> datasets.Dataset:
    pixels = [Image.new("L", (4, 4), 7)] * 2
    features = datasets.Features(image=datasets.Image(), label=datasets.Value("int64"))
    return datasets.Dataset.from_dict({"image": pixels, "label": [0, 1]}, features=features)


def _saved(root: Path) -> dict:
    datasets.DatasetDict({s: _dataset() for s in SPLITS}).save_to_disk(str(root))
    return {"kind": "saved"}


def _parquet(root: Path) -> dict:
    for split in SPLITS:
        _dataset().to_parquet(str(root / f"{split}-0.parquet"))
    (root / "README.md").write_text("not read")
    return {"kind": "parquet"}


def _idx(root: Path) -> dict:
    pixels, labels = np.zeros((2, 4, 4), np.uint8), np.array([0, 1], np.uint8)
    for split in SPLITS:
        for what, values in (("images", pixels), ("labels", labels)):
            shape = np.array(values.shape, ">u4").tobytes()
            head = bytes([0, 0, 8, values.ndim])
            (root / f"{split}-{what}").write_bytes(head + shape + values.tobytes())
    files = {what: {s: f"{s}-{what}" for s in SPLITS} for what in ("images", "labels")}
    return {"kind": "idx", "images": files["images"], "label_files": files["labels"]}


EXPECTED = {
    _folder: ["test/cat/0.png", "test/dog/1.png"],
    _saved: ["test/data-00000-of-00001.arrow", "test/dataset_info.json", "test/state.json"],
    _parquet: ["test-0.parquet"],
    _idx: ["test-images", "test-labels"],
}


@pytest.fixture
def card(tmp_path: Path, request: pytest.FixtureRequest) -> InputsCard:
    root = tmp_path / "source"
    root.mkdir()
    source = request.param(root)
    return InputsCard.model_validate(
        {
            "name": "mine",
            "source": {**source, "path": str(root)},
            "splits": {split: {"rows": 2} for split in SPLITS},
            "labels": {"label": {}},
        }
    )


@pytest.mark.parametrize(
    ("card", "expected"),
    EXPECTED.items(),
    indirect=["card"],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_the_files_of_a_split_are_those_that_it_is_read_from(
    card: InputsCard,
    expected: list[str],
    tmp_path: Path,
    prepare: Callable[..., PreparedSplit],
) -> None:
    root, record = tmp_path / "source", tmp_path / "record.json"
    found = source_files(card, "test")
    assert [p.relative_to(root).as_posix() for p in found] == expected
    content = split_content(card, "test")
    origin = prepare(card, "test").facts.origin
    assert content in origin.values() or "images_sha256" in origin
    # What is replaced is seen; what the split is not read from is not.
    assert planned_content(card, "test", record) == content
    (root / "another file").write_text("beside")
    assert planned_content(card, "test", record) == content
    for path in found:
        before = path.read_bytes()
        path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        assert planned_content(card, "test", record) != content
        path.write_bytes(before)
        assert planned_content(card, "test", record) == content
    found[-1].unlink()
    assert planned_content(card, "test", record) != content


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    card = InputsCard.model_validate(
        {
            "name": "mine",
            "source": {"kind": "folder", "path": str(tmp_path / "gone")},
            "splits": {"test": {"rows": 2}},
        }
    )
    with pytest.raises(SourceError, match=r"there is no folder .*gone/test"):
        source_files(card, "test")
    assert planned_content(card, "test", tmp_path / "record.json") is None
