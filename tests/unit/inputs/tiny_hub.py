"""Small local datasets with the columns, feature types and split names of the eight on the Hub.

The columns are written out here as the Hub's dataset pages state them, not read from the cards.
"""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import datasets
import numpy as np
from PIL import Image

from semasia.inputs import BenchmarkCard, load_benchmark
from semasia.inputs.cards import Split
from semasia.inputs.origins import ParquetSource, SavedSource

REGISTRY = Path(__file__).parents[3] / "registry"
ROWS = 12

SPLITS = {
    "mnist": ("train", "test"),
    "fashion_mnist": ("train", "test"),
    "cifar10": ("train", "test"),
    "cifar100": ("train", "test"),
    "oxford_flowers": ("train", "test"),
    "tiny_imagenet": ("train", "valid"),
    "imagenet_1k": ("validation", "test"),
    "celeba": ("train", "valid", "test"),
}
CASES = [(name, split) for name, splits in SPLITS.items() for split in splits]

# Shape of an image that is stored raw; None where the source's own files are kept.
LAYOUT: dict[tuple[str, str], list[int] | None] = {
    ("mnist", "train"): [28, 28],
    ("mnist", "test"): [28, 28],
    ("fashion_mnist", "train"): [28, 28],
    ("fashion_mnist", "test"): [28, 28],
    ("cifar10", "train"): [32, 32, 3],
    ("cifar10", "test"): [32, 32, 3],
    ("cifar100", "train"): [32, 32, 3],
    ("cifar100", "test"): [32, 32, 3],
    ("oxford_flowers", "train"): None,
    ("oxford_flowers", "test"): None,
    ("tiny_imagenet", "train"): [64, 64, 3],
    ("tiny_imagenet", "valid"): None,  # one image is grey
    ("imagenet_1k", "validation"): None,
    ("imagenet_1k", "test"): None,
    ("celeba", "train"): [218, 178, 3],  # of one size, but large
    ("celeba", "valid"): [218, 178, 3],
    ("celeba", "test"): [218, 178, 3],
}


def card_of(name: str) -> BenchmarkCard:
    """Return the card of the registry."""
    return load_benchmark(REGISTRY / "benchmarks" / f"{name}.yaml")


def local_card(name: str, source: SavedSource | ParquetSource | None = None) -> BenchmarkCard:
    """Return the registry's card with the rows of the small dataset and, if given, its source."""
    card = card_of(name)
    update: dict[str, object] = {"splits": {split: Split(rows=ROWS) for split in card.splits}}
    if source is not None:
        update["source"] = source
    return card.model_copy(update=update)


def features_of(name: str) -> datasets.Features:
    """Return the columns and types of the dataset on the Hub."""
    image, integer = datasets.Image(), datasets.Value("int64")
    labels = card_of(name).labels
    if name in ("mnist", "fashion_mnist"):
        return datasets.Features(image=image, label=_classes(labels["label"].names))
    if name == "cifar10":
        return datasets.Features(img=image, label=_classes(labels["label"].names))
    if name == "cifar100":
        fine, coarse = labels["fine_label"].names, labels["coarse_label"].names
        return datasets.Features(
            img=image, fine_label=_classes(fine), coarse_label=_classes(coarse)
        )
    if name == "oxford_flowers":
        names = sorted(str(number) for number in range(1, 103))
        return datasets.Features(image=image, label=_classes(names))
    if name == "tiny_imagenet":
        names = [f"n{1443537 + 1009 * i:08d}" for i in range(200)]
        return datasets.Features(image=image, label=_classes(names))
    if name == "imagenet_1k":
        names = [f"class {i}, synonym of class {i}" for i in range(1000)]
        return datasets.Features(image=image, label=_classes(names))
    assert name == "celeba"
    attributes = {attribute: datasets.Value("bool") for attribute in labels}
    return datasets.Features(image=image, celeb_id=integer, **attributes)


def columns_of(name: str, split: str) -> dict[str, list]:
    """Return the values of one split; images as the bytes of files, other columns at random."""
    rng = np.random.default_rng(zlib.crc32(f"{name}/{split}".encode()))
    columns: dict[str, list] = {}
    for column, feature in features_of(name).items():
        if isinstance(feature, datasets.Image):
            files = _files(name, split, rng)
            columns[column] = [{"bytes": file, "path": None} for file in files]
        elif isinstance(feature, datasets.ClassLabel):
            top = len(feature.names) - 1
            columns[column] = [0, top, *rng.integers(0, top + 1, ROWS - 2).tolist()]
        elif feature.dtype == "bool":
            columns[column] = rng.integers(0, 2, ROWS).astype(bool).tolist()
        else:
            columns[column] = rng.integers(1, 10178, ROWS).tolist()
    if (name, split) == ("imagenet_1k", "test"):
        columns["label"] = [-1] * ROWS
    return columns


def dataset_of(name: str, split: str, columns: dict[str, list] | None = None) -> datasets.Dataset:
    """Return one split as a dataset."""
    columns = columns_of(name, split) if columns is None else columns
    return datasets.Dataset.from_dict(columns, features=features_of(name))


def save(name: str, folder: Path) -> None:
    """Write all splits twice: ``folder/saved`` by `save_to_disk`, ``folder/parquet`` as Parquet."""
    splits = {split: dataset_of(name, split) for split in SPLITS[name]}
    datasets.DatasetDict(splits).save_to_disk(str(folder / "saved"))
    (folder / "parquet").mkdir()
    for split, dataset in splits.items():
        dataset.to_parquet(str(folder / "parquet" / f"{split}-00000-of-00001.parquet"))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return an image as a file of the given kind."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _classes(names: tuple[str, ...] | list[str] | None) -> datasets.ClassLabel:
    assert names is not None
    return datasets.ClassLabel(names=list(names))


def _files(name: str, split: str, rng: np.random.Generator) -> list[bytes]:
    """Return as many image files as rows, of the kinds and modes that the source mixes."""

    def noise(height: int, width: int, mode: str = "RGB") -> Image.Image:
        bands = {"L": 1, "RGB": 3, "CMYK": 4}[mode]
        return Image.frombytes(mode, (width, height), rng.bytes(height * width * bands))

    if name in ("mnist", "fashion_mnist"):
        return [encoded(noise(28, 28, "L"), "PNG") for _ in range(ROWS)]
    if name in ("cifar10", "cifar100"):
        return [encoded(noise(32, 32), "PNG") for _ in range(ROWS)]
    if name == "celeba":
        return [encoded(noise(218, 178), "JPEG") for _ in range(ROWS)]
    if name == "tiny_imagenet":
        images = [noise(64, 64) for _ in range(ROWS)]
        if split == "valid":
            images[7] = noise(64, 64, "L")
        return [encoded(image, "JPEG") for image in images]
    sizes = rng.integers(40, 90, (ROWS, 2)).tolist()
    images = [noise(height, width) for height, width in sizes]
    files = [encoded(image, "JPEG") for image in images]
    if name == "imagenet_1k":
        files[3] = encoded(noise(50, 70, "L"), "JPEG")
        files[5] = encoded(noise(70, 50, "CMYK"), "JPEG")
        lying = Image.Exif()
        lying[0x0112] = 6  # Orientation: turn by 90 degrees to see it upright
        files[8] = encoded(noise(40, 60), "JPEG", exif=lying)
        files[10] = encoded(noise(60, 60), "PNG")
    return files
