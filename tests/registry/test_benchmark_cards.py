"""Every benchmark card: it loads, and the paper's eight say what the paper and the Hub say."""

from pathlib import Path

import pytest

from semasia.inputs import BenchmarkCard, find_benchmark, load_benchmark
from semasia.inputs.origins import HubSource, IdxSource, PackageSource

FOLDER = Path(__file__).parents[2] / "registry" / "benchmarks"
CARDS = sorted(FOLDER.glob("*.yaml"))

# Repository, configuration, rows per split, as the Hub states them.
HUB = {
    "mnist": ("ylecun/mnist", "mnist", {"train": 60000, "test": 10000}),
    "fashion_mnist": (
        "zalando-datasets/fashion_mnist",
        "fashion_mnist",
        {"train": 60000, "test": 10000},
    ),
    "cifar10": ("uoft-cs/cifar10", "plain_text", {"train": 50000, "test": 10000}),
    "cifar100": ("uoft-cs/cifar100", "cifar100", {"train": 50000, "test": 10000}),
    "oxford_flowers": ("nkirschi/oxford-flowers", None, {"train": 7169, "test": 1020}),
    "tiny_imagenet": ("zh-plus/tiny-imagenet", None, {"train": 100000, "valid": 10000}),
    "imagenet_1k": ("ILSVRC/imagenet-1k", None, {"validation": 50000, "test": 100000}),
    "celeba": (
        "flwrlabs/celeba",
        "img_align+identity+attr",
        {"train": 162770, "valid": 19867, "test": 19962},
    ),
}
# Classes per label column; CelebA's forty have their own test.
CLASSES = {
    "mnist": {"label": 10},
    "fashion_mnist": {"label": 10},
    "cifar10": {"label": 10},
    "cifar100": {"fine_label": 100, "coarse_label": 20},
    "oxford_flowers": {"label": 102},
    "tiny_imagenet": {"label": 200},
    "imagenet_1k": {"label": 1000},
}
# Fitted on, scored on, label.
PROBES = {
    "mnist": ("train", "test", ("label",)),
    "fashion_mnist": ("train", "test", ("label",)),
    "cifar10": ("train", "test", ("label",)),
    "cifar100": ("train", "test", ("fine_label",)),
    "oxford_flowers": ("train", "test", ("label",)),
    "tiny_imagenet": ("train", "valid", ("label",)),
}
ORIGINAL = {
    "mnist": "mnist",
    "fashion_mnist": "fashion_mnist",
    "cifar10": "cifar10",
    "cifar100": "cifar100",
    "oxford_flowers": "oxford-flowers",
    "tiny_imagenet": "tiny-imagenet",
    "imagenet_1k": "imagenet-1k",
    "celeba": "celeba",
}


def card(name: str) -> BenchmarkCard:
    return load_benchmark(find_benchmark(name, FOLDER))


def test_there_are_cards():
    assert set(HUB) <= {path.stem for path in CARDS}


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_every_card_loads_under_its_own_name(path: Path):
    found = load_benchmark(path)
    assert found.name == path.stem
    assert find_benchmark(found.name, FOLDER) == path
    for text in (found.title, found.licence, found.citation):
        assert text.strip()
    assert found.homepage is None or found.homepage.startswith("http")


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_what_a_card_says_of_splits_holds_for_its_own_splits(path: Path):
    found = load_benchmark(path)
    mentioned = {split for column in found.labels.values() for split in column.absent}
    if isinstance(found.source, HubSource):
        mentioned |= set(found.source.files)
    if isinstance(found.source, IdxSource):
        assert set(found.source.images) == set(found.source.label_files) == set(found.splits)
    assert mentioned <= set(found.splits)
    assert not set(found.labels) & set(found.not_labels)


@pytest.mark.parametrize("name", HUB)
def test_repository_splits_and_rows_are_the_hubs(name: str):
    repo, config, rows = HUB[name]
    found = card(name)
    assert isinstance(found.source, HubSource)
    assert (found.source.repo, found.source.config) == (repo, config)
    assert {split: s.rows for split, s in found.splits.items()} == rows
    assert found.folds is None


def test_the_paper_has_seventeen_splits_of_730788_images():
    rows = [split.rows for name in HUB for split in card(name).splits.values()]
    assert len(rows) == 17
    assert sum(rows) == 730_788


@pytest.mark.parametrize("name", CLASSES)
def test_label_columns_and_their_number_of_classes(name: str):
    columns = card(name).labels
    assert {c: len(v.names) if v.names else v.classes for c, v in columns.items()} == CLASSES[name]


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_class_names_are_distinct(path: Path):
    for column in load_benchmark(path).labels.values():
        assert column.names is None or len(set(column.names)) == len(column.names)


def test_only_the_test_split_of_imagenet_has_no_labels():
    absent = {name: {c: v.absent for c, v in card(name).labels.items() if v.absent} for name in HUB}
    assert {name: columns for name, columns in absent.items() if columns} == {
        "imagenet_1k": {"label": ("test",)}
    }


def test_the_image_column_is_img_in_cifar_and_image_elsewhere():
    assert {n for n in HUB if card(n).image == "img"} == {"cifar10", "cifar100"}
    assert {n for n in HUB if card(n).image == "image"} == set(HUB) - {"cifar10", "cifar100"}


def test_only_imagenet_is_gated():
    assert [n for n in HUB if card(n).source.gated] == ["imagenet_1k"]


def test_celeba_has_forty_attributes_and_the_identity_is_none_of_them():
    found = card("celeba")
    assert len(found.labels) == 40
    assert {column.classes for column in found.labels.values()} == {2}
    assert {"5_o_Clock_Shadow", "Male", "Smiling", "Wearing_Hat", "Young"} <= set(found.labels)
    assert "celeb_id" not in found.labels
    assert "identity" in found.not_labels["celeb_id"]
    assert found.probe is not None
    assert (found.probe.fit, found.probe.score) == ("train", "test")
    assert found.probe.labels == tuple(found.labels)


@pytest.mark.parametrize("name", PROBES)
def test_probes(name: str):
    probe = card(name).probe
    assert probe is not None
    assert (probe.fit, probe.score, probe.labels) == PROBES[name]


def test_imagenet_has_no_probe_and_says_why():
    found = card("imagenet_1k")
    assert found.probe is None
    assert found.notes is not None
    assert "There is no probe" in found.notes


def test_the_original_collection_is_the_eight():
    names = {path.stem: load_benchmark(path).original_repo for path in CARDS}
    assert {name: repo for name, repo in names.items() if repo} == ORIGINAL


@pytest.mark.parametrize("name", ["mnist_5k", "digits"])
def test_folds_of_a_package_benchmark_are_all_used_once(name: str):
    found = card(name)
    assert isinstance(found.source, PackageSource)
    taken = [fold for split in found.splits.values() for fold in split.folds or ()]
    assert sorted(taken) == list(range(found.folds or 0))


def test_fashion_mnist_has_the_same_classes_from_either_source():
    assert card("fashion_mnist_idx").labels == card("fashion_mnist").labels
    assert card("fashion_mnist_idx").splits == card("fashion_mnist").splits
