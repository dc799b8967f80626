"""Which files on this machine decide a card's network: its weights and its configuration."""

from __future__ import annotations

from pathlib import Path

from semasia.errors import WeightsError
from semasia.inputs.sources.arrays import package_file
from semasia.registry.cards import EncoderCard, FileWeights, FolderWeights, PackageWeights

# What timm looks for in a folder, in its order (`load_state_dict_from_path`, timm 1.0.31).
_NAMES = (
    "model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.pth",
    "model.pth",
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
)
# Then by ending, in its order; the last two are not timm's.
_ENDINGS = (".safetensors", ".pth", ".pth.tar", ".bin", ".pt", ".ckpt")


def weight_files(card: EncoderCard) -> list[Path]:
    """Return the local files that a card's network is made of, sorted; none of ``hub``, ``random``.

    The file of ``file``; the weights and, where it is there, ``config.json`` of ``folder``; the
    data file of ``package``. Nothing is read.

    Raises
    ------
    WeightsError
        If a file or folder is not there, or a folder has several files that could be meant.
    SourceError
        If the package is not installed.
    """
    weights = card.weights
    if isinstance(weights, FileWeights):
        if not (path := Path(weights.path)).is_file():
            raise WeightsError(f"{card.name}: {path}: there is no such file of weights.")
        return [path]
    if isinstance(weights, FolderWeights):
        folder = Path(weights.path)
        stated = folder / "config.json"
        return sorted([weights_in(folder), *([stated] if stated.is_file() else [])])
    if isinstance(weights, PackageWeights):
        return [package_file(weights.package, weights.distribution, weights.file)]
    return []


def weights_in(folder: Path) -> Path:
    """Return the file of weights in a folder: the one timm takes, if it takes one only.

    Raises
    ------
    WeightsError
        If the folder is not there, holds no weights, or several of the same ending of which none
        has one of timm's names.
    """
    if not folder.is_dir():
        raise WeightsError(f"{folder}: there is no such folder of weights.")
    for name in _NAMES:
        if (folder / name).is_file():
            return folder / name
    files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    for ending in _ENDINGS:
        found = [p for p in files if p.name.endswith(ending)]
        if len(found) > 1:
            raise WeightsError(
                f"{folder}: holds {len(found)} files of weights: "
                f"{', '.join(p.name for p in found[:20])}. Name one with `weights: {{source: file, "
                "path: …}` in the model card, or leave one in the folder."
            )
        if found:
            return found[0]
    there = ", ".join(p.name for p in files[:10]) or "nothing"
    raise WeightsError(
        f"{folder}: there is no such file of weights: model.safetensors, or one file that ends "
        f"with {', '.join(_ENDINGS)}, is needed; the folder holds {there}."
    )
