"""Image folders as they are found: with what systems leave in them, links, and foreign names."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from unicodedata import normalize

import pytest
from PIL import Image

from semasia.errors import SourceError
from semasia.inputs import InputsCard, open_split


def grow(root: Path, *names: str) -> Path:
    for brightness, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (6, 5), brightness).save(path, "PNG")
    return root


def card_of(root: Path, label: dict | None = None, **rows: int) -> InputsCard:
    return InputsCard.model_validate(
        {
            "name": "mine",
            "source": {"kind": "folder", "path": str(root)},
            "splits": {split: {"rows": n} for split, n in rows.items()},
            "labels": {"label": label or {}},
        }
    )


LEFT_BEHIND = [
    ".ipynb_checkpoints/",
    "__MACOSX/",
    "__MACOSX/cat/._0.png",
    ".git/config",
    ".DS_Store",
    "@eaDir/thumb.png",
    "lost+found/",
    "cat/._0.png",
    "cat/.ipynb_checkpoints/0-checkpoint.png",
    "cat/@eaDir/0.png",
    "dog/__MACOSX/0.png",
    "System Volume Information/",
]


@pytest.mark.parametrize("left", LEFT_BEHIND)
def test_what_systems_leave_behind_decides_nothing(
    left: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    grow(tmp_path / "train", "cat/0.png", "dog/0.png", "dog/1.png")
    plain = open_split(card_of(tmp_path, train=3), "train")
    for split in ("train", "test"):
        path = tmp_path / split / left
        (path if left.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not left.endswith("/"):
            shutil.copy(tmp_path / "train/cat/0.png", path)
    with caplog.at_level(logging.WARNING):
        found = open_split(card_of(tmp_path, train=3, test=1), "train")
    assert found.labels["label"].tolist() == plain.labels["label"].tolist() == [0, 1, 1]
    assert found.names == plain.names == {"label": ("cat", "dog")}
    assert "mine/train: left out: 1 hidden or metadata" in caplog.text


def test_an_empty_folder_is_a_class(tmp_path: Path):
    grow(tmp_path / "train", "cat/0.png", "dog/0.png")
    (tmp_path / "train" / "cow").mkdir()
    (tmp_path / "test" / "ant").mkdir(parents=True)
    opened = open_split(card_of(tmp_path, train=2, test=1), "train")
    assert opened.names["label"] == ("ant", "cat", "cow", "dog")
    assert opened.labels["label"].tolist() == [1, 3]


@pytest.mark.parametrize("linked", ["train", "train/cat", "train/cat/0.png"])
def test_links_are_followed(linked: str, tmp_path: Path):
    grow(tmp_path / "data/train", "cat/0.png", "dog/0.png", "dog/1.png")
    plain = open_split(card_of(tmp_path / "data", train=3), "train")
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "data" / linked).rename(elsewhere)
    (tmp_path / "data" / linked).symlink_to(elsewhere)
    found = open_split(card_of(tmp_path / "data", train=3), "train")
    assert found.labels["label"].tolist() == plain.labels["label"].tolist()
    assert [found.image(i) for i in range(3)] == [plain.image(i) for i in range(3)]


@pytest.mark.parametrize("loop", ["train/cat/again", "train/cat/deep/er", "train/all"])
def test_a_loop_of_links_is_refused(loop: str, tmp_path: Path):
    grow(tmp_path / "train", "cat/0.png", "dog/0.png")
    path = tmp_path / loop
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(tmp_path / "train")
    with pytest.raises(SourceError, match=f"{loop}: is a link to a folder above it"):
        open_split(card_of(tmp_path, train=2), "train")


@pytest.mark.parametrize(
    ("target", "told"),
    [("gone.png", "is a link to gone.png, which is not there"), ("1.png", "cannot be looked at")],
)
def test_a_link_that_leads_nowhere_is_named(target: str, told: str, tmp_path: Path):
    grow(tmp_path / "train", "cat/0.png")
    (tmp_path / "train/cat/1.png").symlink_to(target)
    with pytest.raises(SourceError, match=rf"cat/1\.png: {told}"):
        open_split(card_of(tmp_path, train=1), "train")


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    grow(tmp_path / "train", "cat/0.png", "dog/0.png")
    real = os.scandir

    def refused(path: str | Path) -> object:
        if Path(path).name == "dog":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(SourceError, match=r"train/dog: cannot be listed \(Permission denied\)"):
        open_split(card_of(tmp_path, train=2), "train")


@pytest.mark.parametrize("extension", [".ppm", ".pgm", ".jfif", ".avif", ".npy", ""])
def test_a_folder_of_other_files_says_what_was_left_out(extension: str, tmp_path: Path):
    grow(tmp_path / "train", *(f"cat/{i}{extension}" for i in range(3)))
    with pytest.raises(SourceError) as caught:
        open_split(card_of(tmp_path, train=3), "train")
    said = str(caught.value)
    assert "has 0 rows, but the card says 3" in said
    assert f"Left out: 3 of extension {extension or 'none'}" in said
    assert "`source.extensions`" in said


def test_unicode_spellings_of_one_name_are_one_class(tmp_path: Path):
    composed, decomposed = (normalize(form, "café") for form in ("NFC", "NFD"))
    grow(tmp_path / "train", f"{decomposed}/0.png", "cat/0.png")
    grow(tmp_path / "test", f"{composed}/0.png")
    card = card_of(tmp_path, train=2, test=1)
    opened = [open_split(card, split) for split in ("train", "test")]
    assert opened[0].names == opened[1].names == {"label": (composed, "cat")}
    assert [o.labels["label"].tolist() for o in opened] == [[0, 1], [0]]
    named = card_of(tmp_path, {"names": ["cat", decomposed]}, train=2, test=1)
    assert open_split(named, "train").labels["label"].tolist() == [1, 0]
    grow(tmp_path / "train", f"{composed}/1.png")
    with pytest.raises(SourceError, match="two folders of one name, spelled differently"):
        open_split(card_of(tmp_path, train=3, test=1), "train")


@pytest.mark.parametrize("name", [b"caf\xe9", b"\xff\xfe", b"a\xc3"])
def test_a_class_whose_name_is_no_utf8_is_one_clear_error(name: bytes, tmp_path: Path):
    grow(tmp_path / "train", "cat/0.png")
    (tmp_path / "train/cat").rename(tmp_path / "train" / os.fsdecode(name))
    with pytest.raises(SourceError, match="is a class whose name is no UTF-8; rename") as caught:
        open_split(card_of(tmp_path, train=1), "train")
    str(caught.value).encode()


def test_a_file_whose_name_is_no_utf8_is_read(tmp_path: Path):
    grow(tmp_path / "train", "cat/0.png")
    (tmp_path / "train/cat/0.png").rename(tmp_path / "train/cat" / os.fsdecode(b"\xe9.png"))
    assert open_split(card_of(tmp_path, train=1), "train").rows == 1


@pytest.mark.parametrize(
    "names", [["crane", "crane", "dog"], ["dog", "café", normalize("NFD", "café")]]
)
def test_a_card_with_two_classes_of_one_name_is_refused(names: list[str], tmp_path: Path):
    with pytest.raises(ValueError, match=r"classes \d and \d are both named"):
        card_of(tmp_path, {"names": names}, train=1)


def test_cards_compose_their_names(tmp_path: Path):
    card = card_of(tmp_path, {"names": [normalize("NFD", "é"), "a"]}, train=1)
    assert card.labels["label"].names == (normalize("NFC", "é"), "a")
