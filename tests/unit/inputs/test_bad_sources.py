"""Sources that differ from their card: what is refused, in which words, and what is left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from semasia.errors import ImageError, RowCountError, SourceError
from semasia.inputs import BenchmarkCard, PreparedSplit, SplitFacts, open_split, prepare_split
from semasia.inputs.cards import LabelColumn, Split
from semasia.inputs.origins import ParquetSource, SavedSource

from unit.inputs import tiny_hub
from unit.inputs.tiny_hub import ROWS

Prepare = Callable[..., PreparedSplit]
INTEGER = datasets.Value("int64")


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., BenchmarkCard]:
    """Save rows under the card `digits`, with some columns or types replaced; returns the card."""

    def save(
        labels: list | None = None,
        label_type: object = INTEGER,
        images: list | None = None,
        rows: int = ROWS,
        names: tuple[str, ...] | None = None,
        absent: tuple[str, ...] = (),
        image_type: object = None,
    ) -> BenchmarkCard:
        if images is None:
            images = [{"bytes": file, "path": None} for file in pictures("PNG", (5, 5))]
        labels = [i % 3 for i in range(ROWS)] if labels is None else labels
        features = datasets.Features(image=image_type or datasets.Image(), label=label_type)
        dataset = datasets.Dataset.from_dict({"image": images, "label": labels}, features=features)
        dataset.save_to_disk(str(tmp_path / "source"))
        return tiny_hub.card_of("digits").model_copy(
            update={
                "source": SavedSource(kind="saved", path=str(tmp_path / "source")),
                "splits": {"train": Split(rows=rows)},
                "folds": None,
                "labels": {
                    "label": LabelColumn(names=names, classes=None if names else 3, absent=absent)
                },
            }
        )

    return save


def pictures(kind: str, size: tuple[int, int]) -> list[bytes]:
    return [tiny_hub.encoded(Image.new("RGB", size, (i, 2 * i, 3 * i)), kind) for i in range(ROWS)]


def replaced(files: list[bytes], position: int, file: object) -> list:
    """Return the column of images with one cell's bytes replaced."""
    files = [*files[:position], file, *files[position + 1 :]]
    return [{"bytes": file, "path": None} for file in files]


def test_another_number_of_rows_stops_with_both_numbers(source: Callable[..., BenchmarkCard]):
    with pytest.raises(RowCountError) as caught:
        open_split(source(rows=1234), "train")
    message = str(caught.value)
    assert "digits/train: the source has 12 rows, but the card says 1,234" in message
    assert "`splits.train.rows` in the card digits.yaml" in message


def test_a_cap_does_not_hide_another_number_of_rows(
    source: Callable[..., BenchmarkCard], prepare: Prepare
):
    with pytest.raises(RowCountError, match="has 12 rows"):
        prepare(source(rows=13), "train", cap=5)


def test_a_missing_label_column_is_named_with_those_there_are(
    source: Callable[..., BenchmarkCard],
):
    card = source().model_copy(update={"labels": {"coarse": LabelColumn(classes=3)}})
    with pytest.raises(SourceError) as caught:
        open_split(card, "train")
    message = str(caught.value)
    assert "digits/train: the source has no column 'coarse'; it has image, label." in message
    assert "digits.yaml" in message


def test_a_missing_image_column_is_named_with_those_there_are(
    source: Callable[..., BenchmarkCard],
):
    card = source().model_copy(update={"image": "img"})
    with pytest.raises(SourceError, match=r"no column 'img'; it has image, label\. See `image`"):
        open_split(card, "train")


@pytest.mark.parametrize("wrong", [-1, 3, 2**40, -(2**40)])
def test_a_label_out_of_range_is_named_with_its_id(
    wrong: int, source: Callable[..., BenchmarkCard]
):
    labels = [0, 1, 2, 0, 1, wrong, 0, wrong, 1, 2, 0, 1]
    with pytest.raises(SourceError) as caught:
        open_split(source(labels), "train")
    expected = f"'label' is {wrong} at id 5; 0 to 2 was expected (2 such rows)"
    assert f"digits/train: label column {expected}" in str(caught.value)


def test_absent_labels_pass_where_the_card_says_so(
    source: Callable[..., BenchmarkCard], prepare: Prepare
):
    prepared = prepare(source([-1] * ROWS, absent=("train",)), "train")
    assert prepared.labels["label"].tolist() == [-1] * ROWS


def test_a_label_where_the_card_says_all_are_absent_is_refused(
    source: Callable[..., BenchmarkCard],
):
    labels = [-1] * 6 + [2] + [-1] * 5
    with pytest.raises(SourceError, match="'label' is 2 at id 6"):
        open_split(source(labels, absent=("train",)), "train")


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        (("cat", "dog"), r"\(3 and 2 names\): only digits/train has 'fox'"),
        (("cat", "dog", "fox", "owl"), r"\(3 and 4 names\): only the card has 'owl'"),
        (("cat", "dog", "Fox"), r"only digits/train has 'fox'; only the card has 'Fox'"),
    ],
)
def test_other_class_names_than_the_cards_are_named(
    stated: tuple[str, ...], told: str, source: Callable[..., BenchmarkCard]
):
    card = source(label_type=datasets.ClassLabel(names=["cat", "dog", "fox"]), names=stated)
    with pytest.raises(SourceError, match=told) as caught:
        open_split(card, "train")
    assert "`labels.label.names` in the card" in str(caught.value)


def test_another_number_of_class_names_than_the_card_says_is_refused(
    source: Callable[..., BenchmarkCard],
):
    labels = datasets.ClassLabel(names=["cat", "dog", "fox", "owl"])
    with pytest.raises(SourceError, match=r"names 4 classes for 'label', but the card says 3"):
        open_split(source(label_type=labels), "train")


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (["a"] * ROWS, datasets.Value("string")),
        ([0.5] * ROWS, datasets.Value("float32")),
        ([[0, 1]] * ROWS, datasets.List(INTEGER)),
    ],
    ids=["strings", "floats", "lists"],
)
def test_a_label_column_that_is_not_integers_is_refused(
    labels: list, kind: object, source: Callable[..., BenchmarkCard], prepare: Prepare
):
    with pytest.raises(SourceError, match=r"digits/train: label column 'label' .*not integers"):
        prepare(source(labels, kind), "train")


def truncated(file: bytes) -> bytes:
    return file[: len(file) // 2]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("kind", "size", "damage"),
    [
        ("PNG", (5, 5), truncated),
        ("PNG", (5, 5), lambda file: b"no image at all"),
        ("PNG", (5, 5), lambda file: b""),
        ("JPEG", (200, 100), truncated),
        ("JPEG", (200, 100), lambda file: b"\0" * 100),
    ],
    ids=["raw_cut", "raw_text", "raw_empty", "encoded_cut", "encoded_zeros"],
)
def test_an_unreadable_image_is_named_by_its_id_and_nothing_is_left(
    kind: str,
    size: tuple[int, int],
    damage: Callable[[bytes], bytes],
    threads: int,
    tmp_path: Path,
    source: Callable[..., BenchmarkCard],
):
    files = pictures(kind, size)
    card = source(images=replaced(files, 7, damage(files[7])))
    out = tmp_path / "out"
    with pytest.raises(ImageError, match=r"digits/train: image with id 7 cannot be decoded \("):
        prepare_split(
            card,
            "train",
            cap=None,
            revision=None,
            data=out / "train.arrow",
            facts=out / "train.json",
            threads=threads,
        )
    assert list(out.iterdir()) == []


def test_an_unreadable_image_is_named_by_its_id_in_the_source_of_a_capped_split(
    source: Callable[..., BenchmarkCard], prepare: Prepare
):
    files = pictures("PNG", (5, 5))
    kept = prepare(source(), "train", cap=4).ids.tolist()
    assert kept != list(range(4))
    card = source(images=replaced(files, kept[2], b"no image at all"))
    with pytest.raises(ImageError, match=f"image with id {kept[2]} cannot be decoded"):
        prepare(card, "train", cap=4)


def test_an_unreadable_image_leaves_an_earlier_pair_as_it_was(
    tmp_path: Path, source: Callable[..., BenchmarkCard], prepare: Prepare
):
    prepare(source(), "train")
    before = {p.name: p.read_bytes() for p in (tmp_path / "prepared").iterdir()}
    files = pictures("PNG", (5, 5))
    with pytest.raises(ImageError):
        prepare(source(images=replaced(files, 7, truncated(files[7]))), "train")
    assert {p.name: p.read_bytes() for p in (tmp_path / "prepared").iterdir()} == before


def test_a_missing_image_is_named_by_its_row(
    source: Callable[..., BenchmarkCard], prepare: Prepare
):
    images: list = replaced(pictures("PNG", (5, 5)), 7, b"")
    images[7] = None
    with pytest.raises(SourceError, match=r"'image' holds no image at row 7 \(found NoneType\)"):
        prepare(source(images=images), "train")


def test_a_column_that_is_no_image_is_refused(
    source: Callable[..., BenchmarkCard], prepare: Prepare
):
    card = source(images=["a"] * ROWS, image_type=datasets.Value("string"))
    with pytest.raises(SourceError, match=r"'image' holds no image at row 0 \(found str\)"):
        prepare(card, "train")


def test_an_image_file_that_is_gone_is_a_fault_of_the_source_not_of_the_disk(
    tmp_path: Path, source: Callable[..., BenchmarkCard], prepare: Prepare
):
    whole = tiny_hub.dataset_of("cifar10", "train")
    whole.to_parquet(str(tmp_path / "train-0.parquet"))
    table = pq.read_table(tmp_path / "train-0.parquet")
    field = table.schema.field("img")
    cells = [{"bytes": None, "path": str(tmp_path / f"gone-{i}.png")} for i in range(ROWS)]
    place = table.schema.get_field_index("img")
    table = table.set_column(place, field, pa.array(cells, field.type))
    pq.write_table(table, tmp_path / "train-0.parquet")
    card = tiny_hub.local_card("cifar10", ParquetSource(kind="parquet", path=str(tmp_path)))
    with pytest.raises(SourceError, match=r"gone-0\.png"):
        prepare(card, "train")


def test_a_mode_that_the_source_asks_for_is_applied_as_datasets_does(
    tmp_path: Path, source: Callable[..., BenchmarkCard], prepare: Prepare
):
    prepared = prepare(source(image_type=datasets.Image(mode="L")), "train")
    theirs = datasets.load_from_disk(str(tmp_path / "source"))[3]["image"]
    mine = prepared.image(3)
    assert mine.mode == theirs.mode
    assert np.array_equal(np.asarray(mine), np.asarray(theirs))


def test_a_folder_without_a_saved_dataset_is_named_with_what_it_holds(tmp_path: Path):
    (tmp_path / "readme.txt").write_text("nothing here")
    card = tiny_hub.local_card("mnist", SavedSource(kind="saved", path=str(tmp_path)))
    with pytest.raises(SourceError, match=r"is no dataset saved by `datasets`.*\['readme\.txt'\]"):
        open_split(card, "train")
    nowhere = SavedSource(kind="saved", path=str(tmp_path / "nowhere"))
    with pytest.raises(SourceError, match=r"nowhere holds: no such folder"):
        open_split(tiny_hub.local_card("mnist", nowhere), "train")


def test_a_parquet_file_that_is_none_is_named(tmp_path: Path):
    (tmp_path / "train-0.parquet").write_bytes(b"PAR1 but not really")
    card = tiny_hub.local_card("mnist", ParquetSource(kind="parquet", path=str(tmp_path)))
    with pytest.raises(SourceError, match=r"mnist/train: .*/train-0\.parquet"):
        open_split(card, "train")


def test_every_split_name_that_a_card_may_have_can_be_read_from_parquet(tmp_path: Path):
    tiny_hub.dataset_of("mnist", "train").to_parquet(str(tmp_path / "train-a-0.parquet"))
    card = tiny_hub.local_card("mnist", ParquetSource(kind="parquet", path=str(tmp_path)))
    splits = {"train-a": {"rows": ROWS}}
    card = BenchmarkCard.model_validate({**card.model_dump(), "splits": splits, "probe": None})
    assert open_split(card, "train-a").rows == ROWS


# What was prepared, and is damaged afterwards


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", "null"])
def test_a_damaged_file_of_facts_is_named(text: str, tmp_path: Path):
    path = tmp_path / "train.json"
    path.write_text(text)
    with pytest.raises(SourceError, match=r"train\.json: is no description of a prepared split"):
        SplitFacts.read(path)


def test_a_truncated_arrow_file_is_named(
    tmp_path: Path, source: Callable[..., BenchmarkCard], prepare: Prepare
):
    prepare(source(), "train")
    data, facts = (tmp_path / "prepared" / f"train.{suffix}" for suffix in ("arrow", "json"))
    whole = data.read_bytes()
    for size in (0, 5, len(whole) // 2):
        data.write_bytes(whole[:size])
        with pytest.raises(SourceError, match=r"train\.arrow: is no prepared split"):
            PreparedSplit.open(data, facts)


def test_facts_of_another_number_of_rows_are_refused(
    tmp_path: Path, source: Callable[..., BenchmarkCard], prepare: Prepare
):
    prepare(source(), "train")
    data, facts = (tmp_path / "prepared" / f"train.{suffix}" for suffix in ("arrow", "json"))
    facts.write_text(facts.read_text().replace('"rows": 12', '"rows": 13', 1))
    with pytest.raises(SourceError, match=r"has 12 rows, .*train\.json says 13"):
        PreparedSplit.open(data, facts)
