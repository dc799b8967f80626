"""The eight Hub benchmarks, read from small local datasets of the same columns and types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import datasets
import huggingface_hub
import numpy as np
import pytest
from PIL import Image, ImageChops

from semasia.errors import SourceError
from semasia.inputs import PreparedSplit, open_split, resolve_revision
from semasia.inputs.origins import HubSource, ParquetSource, SavedSource

from unit.inputs import tiny_hub
from unit.inputs.tiny_hub import CASES, LAYOUT, ROWS, SPLITS

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_AbCdEfGhIjKlMnOpQrStUvWxYz"
Prepare = Callable[..., PreparedSplit]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the folder of a small dataset, written when it is first asked for."""
    folders: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp(name)
            tiny_hub.save(name, folders[name])
        return folders[name]

    return folder


def source(kind: str, folder: Path) -> SavedSource | ParquetSource:
    if kind == "saved":
        return SavedSource(kind="saved", path=str(folder / "saved"))
    return ParquetSource(kind="parquet", path=str(folder / "parquet"))


@pytest.mark.parametrize("kind", ["saved", "parquet"])
@pytest.mark.parametrize(("name", "split"), CASES)
def test_ids_labels_names_and_images_are_the_sources(
    name: str, split: str, kind: str, hub: Callable[[str], Path], prepare: Prepare
):
    card = tiny_hub.local_card(name, source(kind, hub(name)))
    prepared = prepare(card, split)
    written = tiny_hub.columns_of(name, split)
    features = tiny_hub.features_of(name)
    decoded = tiny_hub.dataset_of(name, split)[card.image]

    assert prepared.ids.dtype == np.uint32
    assert prepared.ids.tolist() == list(range(ROWS))
    assert set(prepared.labels) == set(features) - {card.image, "celeb_id"}
    for column, values in prepared.labels.items():
        assert values.dtype == np.int64
        assert values.tolist() == [int(v) for v in written[column]]
        expected = getattr(features[column], "names", None)
        assert prepared.facts.label_names[column] == expected
    assert prepared.facts.image_shape == LAYOUT[name, split]
    assert (prepared.facts.benchmark, prepared.facts.split) == (name, split)
    assert (prepared.facts.rows, prepared.facts.source_rows) == (ROWS, ROWS)
    assert prepared.facts.source_kind == kind
    assert prepared.facts.selection is None
    for position, image in enumerate(decoded):
        mine = prepared.image(position)
        assert (mine.mode, mine.size) == (image.mode, image.size)
        assert np.array_equal(np.asarray(mine), np.asarray(image))


def test_imagenet_keeps_grey_cmyk_and_turned_images_apart(
    hub: Callable[[str], Path], prepare: Prepare
):
    prepared = prepare(
        tiny_hub.local_card("imagenet_1k", source("saved", hub("imagenet_1k"))), "validation"
    )
    assert prepared.image(3).mode == "L"
    assert prepared.image(5).mode == "CMYK"
    assert prepared.image(8).size == (40, 60)  # stored 60 wide and 40 high, turned upright
    assert prepared.image(0).mode == "RGB"


@pytest.mark.parametrize(("name", "split"), CASES)
def test_the_fingerprint_is_that_of_the_content(
    name: str, split: str, hub: Callable[[str], Path], prepare: Prepare
):
    saved = tiny_hub.local_card(name, source("saved", hub(name)))
    parquet = tiny_hub.local_card(name, source("parquet", hub(name)))
    first = prepare(saved, split, folder="first")
    again = prepare(saved, split, folder="again", threads=2)
    other = prepare(parquet, split, folder="other")
    assert first.facts.fingerprint == again.facts.fingerprint == other.facts.fingerprint
    assert len(first.facts.fingerprint) == 64


@pytest.mark.parametrize("name", SPLITS)
def test_the_fingerprint_differs_when_one_label_does(name: str, tmp_path: Path, prepare: Prepare):
    split = SPLITS[name][0]
    columns = tiny_hub.columns_of(name, split)
    label = next(iter(tiny_hub.card_of(name).labels))
    fingerprints = []
    for step in (0, 1):
        values = list(columns[label])
        values[ROWS // 2] = (int(values[ROWS // 2]) + step) % 2
        folder = tmp_path / f"source{step}"
        changed = tiny_hub.dataset_of(name, split, {**columns, label: values})
        changed.save_to_disk(str(folder / split))
        card = tiny_hub.local_card(name, SavedSource(kind="saved", path=str(folder)))
        fingerprints.append(prepare(card, split, folder=f"out{step}").facts.fingerprint)
    assert fingerprints[0] != fingerprints[1]


@pytest.mark.parametrize("name", ["mnist", "celeba"])
def test_the_fingerprint_differs_when_one_image_does(name: str, tmp_path: Path, prepare: Prepare):
    split = SPLITS[name][0]
    columns = tiny_hub.columns_of(name, split)
    card = tiny_hub.local_card(name)
    images = list(columns[card.image])
    inverted = ImageChops.invert(tiny_hub.dataset_of(name, split)[4][card.image])
    fingerprints = []
    for cell in (images[4], {"bytes": tiny_hub.encoded(inverted, "PNG"), "path": None}):
        images[4] = cell
        folder = tmp_path / f"source{len(fingerprints)}"
        changed = tiny_hub.dataset_of(name, split, {**columns, card.image: images})
        changed.save_to_disk(str(folder / split))
        local = tiny_hub.local_card(name, SavedSource(kind="saved", path=str(folder)))
        out = f"out{len(fingerprints)}"
        fingerprints.append(prepare(local, split, folder=out).facts.fingerprint)
    assert fingerprints[0] != fingerprints[1]


def test_the_fingerprint_differs_when_the_same_pixels_have_another_shape(
    tmp_path: Path, prepare: Prepare
):
    columns = tiny_hub.columns_of("mnist", "train")
    fingerprints = []
    for size in ((14, 56), (56, 14)):
        picture = Image.frombytes("L", size, bytes(i % 251 for i in range(14 * 56)))
        cells = [{"bytes": tiny_hub.encoded(picture, "PNG"), "path": None}] * ROWS
        folder = tmp_path / f"source{size[0]}"
        changed = tiny_hub.dataset_of("mnist", "train", {**columns, "image": cells})
        changed.save_to_disk(str(folder / "train"))
        card = tiny_hub.local_card("mnist", SavedSource(kind="saved", path=str(folder)))
        fingerprints.append(prepare(card, "train", folder=f"out{size[0]}").facts.fingerprint)
    assert fingerprints[0] != fingerprints[1]


def test_parquet_files_are_read_in_the_order_of_their_names(tmp_path: Path, prepare: Prepare):
    whole = tiny_hub.dataset_of("cifar10", "train")
    for part, rows in ((1, range(5, ROWS)), (0, range(5))):
        whole.select(rows).to_parquet(str(tmp_path / f"train-0000{part}-of-00002.parquet"))
    card = tiny_hub.local_card("cifar10", ParquetSource(kind="parquet", path=str(tmp_path)))
    prepared = prepare(card, "train")
    assert prepared.ids.tolist() == list(range(ROWS))
    assert prepared.labels["label"].tolist() == whole["label"][:]


def test_parquet_files_can_be_named_by_the_card(tmp_path: Path, prepare: Prepare):
    tiny_hub.dataset_of("cifar10", "train").to_parquet(str(tmp_path / "elsewhere.parquet"))
    named = ParquetSource(kind="parquet", path=str(tmp_path), files={"train": "else*.parquet"})
    assert len(prepare(tiny_hub.local_card("cifar10", named), "train")) == ROWS
    with pytest.raises(SourceError, match=r"cifar10/test: no file test-\*\.parquet in "):
        prepare(tiny_hub.local_card("cifar10", named), "test")


def test_a_folder_with_brackets_in_its_name_holds_parquet_files_as_well(
    tmp_path: Path, prepare: Prepare
):
    folder = tmp_path / "benchmarks [old]"
    folder.mkdir()
    dataset = tiny_hub.dataset_of("cifar10", "train")
    dataset.to_parquet(str(folder / "train-00000-of-00001.parquet"))
    card = tiny_hub.local_card("cifar10", ParquetSource(kind="parquet", path=str(folder)))
    assert len(prepare(card, "train")) == ROWS


@pytest.mark.parametrize(("name", "split"), CASES)
def test_the_hub_is_asked_for_one_split_at_one_commit(
    name: str,
    split: str,
    hub: Callable[[str], Path],
    prepare: Prepare,
    monkeypatch: pytest.MonkeyPatch,
):
    calls = []

    def load_dataset(*args: object, **options: object) -> datasets.Dataset:
        calls.append((args, options))
        return datasets.load_from_disk(str(hub(name) / "saved"))[split]

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    card = tiny_hub.local_card(name)
    assert isinstance(card.source, HubSource)
    prepared = prepare(card, split, revision=COMMIT)
    # ImageNet's training split, which no collection holds, must not be fetched.
    files = {split: f"data/{split}-*.parquet"} if name == "imagenet_1k" else None
    expected = {"split": split, "revision": COMMIT, "data_files": files}
    assert calls == [((card.source.repo, card.source.config), expected)]
    assert prepared.facts.source_kind == "hub"
    assert prepared.facts.origin == {"repo": card.source.repo, "revision": COMMIT}
    assert prepared.labels.keys() == card.labels.keys()
    assert len(prepared) == ROWS


def test_only_the_files_that_the_card_names_for_a_split_are_asked_for(
    hub: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
):
    asked = []

    def load_dataset(*_: object, split: str, data_files: object, **__: object) -> datasets.Dataset:
        asked.append(data_files)
        return datasets.load_from_disk(str(hub("imagenet_1k") / "saved"))[split]

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    card = tiny_hub.local_card("imagenet_1k")
    named = card.source.model_copy(update={"files": {"validation": "data/validation-*.parquet"}})
    card = card.model_copy(update={"source": named})
    for split in ("validation", "test"):
        open_split(card, split, COMMIT)
    assert asked == [{"validation": "data/validation-*.parquet"}, None]


def test_the_hub_is_not_read_at_an_unknown_commit():
    with pytest.raises(SourceError, match=r"mnist/train: no commit of ylecun/mnist was resolved"):
        open_split(tiny_hub.local_card("mnist"), "train", None)


@pytest.mark.parametrize("name", SPLITS)
def test_a_dataset_that_cannot_be_loaded_is_named_with_advice(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    def load_dataset(*_: object, **__: object) -> None:
        raise ConnectionError("Couldn't reach the Hub\nsecond line")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    card = tiny_hub.local_card(name)
    assert isinstance(card.source, HubSource)
    with pytest.raises(SourceError) as caught:
        open_split(card, SPLITS[name][0], COMMIT)
    message = str(caught.value)
    assert f"{name}: dataset {card.source.repo} cannot be read" in message
    assert "ConnectionError: Couldn't reach the Hub" in message
    assert "second line" not in message
    assert ("HF_TOKEN" if name == "imagenet_1k" else "`source:`") in message


class FakeApi:
    """Stands for the Hub's client: counts the questions, and answers or fails."""

    asked: list[str]
    sha: str | None = COMMIT
    error: Exception | None = None

    def dataset_info(self, repo: str) -> SimpleNamespace:
        self.asked.append(repo)
        if self.error is not None:
            raise self.error
        return SimpleNamespace(sha=self.sha)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> type[FakeApi]:
    fake = type("Api", (FakeApi,), {"asked": []})
    monkeypatch.setattr(huggingface_hub, "HfApi", fake)
    return fake


@pytest.mark.parametrize("name", SPLITS)
def test_the_head_is_resolved_with_one_question(name: str, api: type[FakeApi]):
    card = tiny_hub.card_of(name)
    assert isinstance(card.source, HubSource)
    assert resolve_revision(card) == COMMIT
    assert api.asked == [card.source.repo]


def pinned(name: str, revision: str | None, gated: bool | None = None):
    card = tiny_hub.card_of(name)
    update = {"revision": revision} if gated is None else {"revision": revision, "gated": gated}
    return card.model_copy(update={"source": card.source.model_copy(update=update)})


def test_a_pinned_commit_is_returned_without_a_question(api: type[FakeApi]):
    assert resolve_revision(pinned("mnist", "f" * 40)) == "f" * 40
    assert api.asked == []


def test_a_local_source_has_no_commit(api: type[FakeApi]):
    local = tiny_hub.local_card("mnist", SavedSource(kind="saved", path="anywhere"))
    assert resolve_revision(local) is None
    assert api.asked == []


def test_an_unresolved_head_names_the_dataset_and_says_what_to_do(api: type[FakeApi]):
    api.error = TimeoutError("timed out")
    with pytest.raises(SourceError) as caught:
        resolve_revision(tiny_hub.card_of("cifar10"))
    message = str(caught.value)
    assert message.startswith("cifar10: dataset uoft-cs/cifar10 cannot be read")
    assert "TimeoutError: timed out" in message
    assert "Check the network, or name a local copy with `source:`" in message


def test_a_gated_dataset_asks_for_terms_and_a_token(api: type[FakeApi]):
    api.error = PermissionError("401")
    with pytest.raises(SourceError) as caught:
        resolve_revision(tiny_hub.card_of("imagenet_1k"))
    message = str(caught.value)
    assert "ILSVRC/imagenet-1k" in message
    for advice in ("gated", "accept its terms", "hf auth login", "HF_TOKEN"):
        assert advice in message


def test_a_head_without_a_commit_is_an_error(api: type[FakeApi]):
    api.sha = None
    with pytest.raises(SourceError, match=r"mnist: the Hub names no commit .* ylecun/mnist"):
        resolve_revision(tiny_hub.card_of("mnist"))


@pytest.mark.parametrize("gated", [True, False], ids=["gated", "open"])
def test_a_token_is_never_in_a_message(
    gated: bool, api: type[FakeApi], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    api.error = ValueError(f"Illegal header value b'Bearer {TOKEN}'")
    with pytest.raises(SourceError) as caught:
        resolve_revision(pinned("imagenet_1k", None, gated))
    assert "Illegal header value" in str(caught.value)
    assert TOKEN not in str(caught.value)
