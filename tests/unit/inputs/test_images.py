"""Images that do not survive a conversion to 8 bits, that meet Pillow's limits, that are broken."""

from __future__ import annotations

import io
import json
import logging
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pytest
from PIL import Image, PngImagePlugin
from pydantic import ValidationError

from semasia.errors import ImageError, SourceError
from semasia.inputs import BenchmarkCard, PreparedSplit, admission, writing
from semasia.inputs.images import decode, decoded
from semasia.latents.provenance import provenance_of

from unit.inputs.pictures import png16, tiff16, with_chunk
from unit.inputs.test_local_sources import card_of

Prepare = Callable[..., PreparedSplit]

RNG = np.random.default_rng(0)
RAMP = np.linspace(0, 65535, 24 * 20).reshape(24, 20)
COLOUR = RNG.integers(0, 65536, (9, 7, 3)).astype(np.uint16)
ALPHA = RNG.integers(0, 65536, (9, 7, 4)).astype(np.uint16)


def saved(pixels: np.ndarray, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def big_endian() -> bytes:
    return tiff16(RAMP.astype(np.uint16)[..., None], ">", photometric=1)


# Name, file, range, and the values that the file holds.
DEEP: dict[str, tuple[bytes, tuple[float, float], np.ndarray]] = {
    "16.png": (saved(RAMP.astype(np.uint16), "PNG"), (0, 65535), RAMP.astype(np.uint16)),
    "12.png": (saved((RAMP / 16).astype(np.uint16), "PNG"), (0, 4095), (RAMP / 16).astype("u2")),
    "16.tif": (saved(RAMP.astype(np.uint16), "TIFF"), (0, 65535), RAMP.astype(np.uint16)),
    "16-big-endian.tif": (big_endian(), (0, 65535), RAMP.astype(np.uint16)),
    "16-lzw.tif": (
        saved(RAMP.astype(np.uint16), "TIFF", compression="tiff_lzw"),
        (0, 65535),
        RAMP.astype(np.uint16),
    ),
    "32.tif": (saved(RAMP.astype(np.int32) - 9000, "TIFF"), (-9000, 60000), RAMP // 1 - 9000),
    "float.tif": (saved((RAMP / 65535).astype("f4"), "TIFF"), (0, 1), (RAMP / 65535).astype("f4")),
    "16.jp2": (
        saved(RAMP.astype(np.uint16), "JPEG2000", irreversible=False),
        (0, 65535),
        RAMP.astype(np.uint16),
    ),
    "rgb.png": (png16(COLOUR), (0, 65535), COLOUR),
    "rgba.png": (png16(ALPHA), (0, 65535), ALPHA[..., :3]),
    "la.png": (png16(ALPHA[..., :2]), (0, 65535), ALPHA[..., 0]),
    "rgb.tif": (tiff16(COLOUR), (0, 65535), COLOUR),
    "rgb-big-endian.tif": (tiff16(COLOUR, ">"), (0, 65535), COLOUR),
    "rgba.tif": (tiff16(ALPHA), (0, 65535), ALPHA[..., :3]),
    "white-is-zero.tif": (
        tiff16(COLOUR[..., :1], photometric=0),
        (0, 65535),
        65535 - COLOUR[..., 0],
    ),
}


def folder(root: Path, files: dict[str, bytes], **more: object) -> BenchmarkCard:
    for name, file in files.items():
        path = root / "train" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file)
    source = {"kind": "folder", "path": str(root), "extensions": [".png", ".tif", ".jp2", ".gif"]}
    return card_of(source, {"train": len(files)}, **more)


@pytest.mark.parametrize("name", DEEP)
def test_deep_pixels_are_refused_and_the_key_is_named(name: str, tmp_path: Path, prepare: Prepare):
    card = folder(tmp_path / "source", {f"a/{name}": DEEP[name][0]})
    with pytest.raises(ImageError) as found:
        prepare(card, "train")
    message = str(found.value)
    assert message.startswith("mine/train: image with id 0 cannot be used: its pixels have more")
    assert "`image_range: [0, " in message
    assert f"It is {tmp_path / 'source/train/a' / name}. The card is mine.yaml." in message
    assert not list((tmp_path / "prepared").glob("*"))


@pytest.mark.parametrize("name", DEEP)
def test_deep_pixels_are_scaled_as_the_card_says(name: str, tmp_path: Path, prepare: Prepare):
    file, (low, high), values = DEEP[name]
    card = folder(tmp_path / "source", {f"a/{name}": file}, image_range=[low, high])
    prepared = prepare(card, "train")
    expected = np.rint((values.astype(np.float64) - low) / (high - low) * 255)
    assert prepared.facts.image_shape == list(values.shape)
    assert np.array_equal(np.asarray(prepared.image(0)), expected)
    assert np.array_equal(prepared.pixels(range(1))[0], expected)
    source = provenance_of(prepared, {})["benchmark"]["source"]
    assert json.loads(source["image_range"]) == [low, high]


def test_large_deep_images_are_kept_as_scaled_files(tmp_path: Path, prepare: Prepare):
    pixels = RNG.integers(0, 4096, (300, 301)).astype(np.uint16)
    small = DEEP["rgb.tif"]
    files = {"a/0.png": saved(pixels, "PNG"), "a/1.tif": small[0]}
    prepared = prepare(folder(tmp_path / "source", files, image_range=[0, 65535]), "train")
    for i, values in enumerate((pixels, small[2])):
        expected = np.rint(values / 65535 * 255)
        assert np.array_equal(np.asarray(prepared.image(i)), expected)


def test_images_of_8_bits_are_taken_as_they_are(tmp_path: Path, prepare: Prepare):
    files = {"a/0.png": saved(np.arange(200, dtype=np.uint8).reshape(10, 20), "PNG")}
    plain = prepare(folder(tmp_path / "source", files), "train")
    scaled = prepare(folder(tmp_path / "source", files, image_range=[0, 9]), "train", folder="x")
    assert "image_range" not in plain.facts.origin
    assert plain.facts.fingerprint == scaled.facts.fingerprint


@pytest.mark.parametrize(
    ("value", "image_range", "message"),
    [
        (np.nan, [0, 1], "pixels that are not finite"),
        (np.inf, [0, 1], "pixels that are not finite"),
        (1.5, [0, 1], r"values from 0 to 1.5, outside `image_range: \[0, 1\]` of the card"),
        (-0.25, [0, 1], "values from -0.25 to 0, outside"),
        (300, [0, 255], "values from 0 to 300, outside"),
    ],
)
def test_values_that_the_range_does_not_hold_are_refused(
    value: float, image_range: list, message: str, tmp_path: Path, prepare: Prepare
):
    pixels = np.zeros((6, 5), np.float32)
    pixels[4, 2] = value
    card = folder(tmp_path, {"a/x.tif": saved(pixels, "TIFF")}, image_range=image_range)
    with pytest.raises(ImageError, match=rf"image with id 0 cannot be used: .*{message}.*x\.tif"):
        prepare(card, "train")


@pytest.mark.parametrize("wrong", [[1, 1], [9, 0], [0, float("inf")], [float("nan"), 1], [0]])
def test_a_range_that_is_none_is_refused_with_the_card(wrong: list):
    with pytest.raises(ValidationError, match="image_range"):
        card_of({"kind": "saved", "path": "x"}, {"train": 1}, image_range=wrong)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_mode_of_datasets_does_not_clip_deep_pixels(mode: str, tmp_path: Path, prepare: Prepare):
    feature = datasets.Features(image=datasets.Image(mode=mode), label=datasets.Value("int64"))
    rows = {"image": [{"bytes": DEEP["16.png"][0], "path": None}], "label": [0]}
    datasets.Dataset.from_dict(rows, features=feature).save_to_disk(str(tmp_path / "source"))
    source = {"kind": "saved", "path": str(tmp_path / "source")}
    with pytest.raises(ImageError, match=r"more than 8 bits .* It is .*source, row 0\."):
        prepare(card_of(source, {"train": 1}), "train")
    prepared = prepare(card_of(source, {"train": 1}, image_range=[0, 65535]), "train")
    assert np.array_equal(np.asarray(prepared.image(0)), np.rint(RAMP.astype("u2") / 65535 * 255))


# Limits


def text(size: int) -> bytes:
    return zlib.compress(bytes(size))


BIG = 3_000_000
LARGE = {
    "colour profile": with_chunk(b"iCCP", b"c\0\0" + text(BIG)),
    "compressed text": with_chunk(b"zTXt", b"c\0\0" + text(BIG)),
    "international text": with_chunk(b"iTXt", b"c\0\1\0\0\0" + text(BIG)),
    "plain text": with_chunk(b"tEXt", b"c\0" + b"x" * (65 << 20)),
}


@pytest.mark.parametrize("threads", [1, 3])
def test_metadata_beyond_pillows_limits_does_not_refuse_an_image(
    threads: int, tmp_path: Path, prepare: Prepare
):
    files = {f"a/{i}.png": file for i, file in enumerate(LARGE.values())}
    before = PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY
    prepared = prepare(folder(tmp_path / "source", files), "train", threads=threads)
    assert all(prepared.image(i).getpixel((3, 3)) == (1, 2, 3) for i in range(len(files)))
    assert before == (PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY)


def test_metadata_without_bounds_is_refused():
    with pytest.raises(ImageError, match="too large for PngImagePlugin"):
        decode(with_chunk(b"zTXt", b"c\0\0" + text(65 << 20)))


@pytest.mark.filterwarnings("ignore:Image size")
@pytest.mark.parametrize("limit", [700, 1200, 2000])
def test_pixels_beyond_pillows_limit_are_admitted_up_to_the_cards(
    limit: int, tmp_path: Path, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
):
    """Pillow warns beyond its limit and refuses beyond twice that."""
    pixels = RNG.integers(0, 256, (40, 50)).astype(np.uint8)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    card = folder(tmp_path / "source", {"a/x.png": saved(pixels, "PNG")}, max_pixels=2000)
    prepared = prepare(card, "train", threads=2)
    assert np.array_equal(np.asarray(prepared.image(0)), pixels)
    assert limit == Image.MAX_IMAGE_PIXELS
    card = card.model_copy(update={"max_pixels": 1999})
    with pytest.raises(ImageError) as found:
        prepare(card, "train")
    assert "it has 50×40 = 2,000 pixels, and `max_pixels` of the card admits 1,999" in str(
        found.value
    )
    assert str(found.value).endswith("x.png. The card is mine.yaml.")


# Messages


@pytest.mark.parametrize("broken", [b"", b"\x89PNG broken", b"GIF89a", b"no image at all" * 20])
def test_a_broken_image_is_told_with_its_file_and_no_address(
    broken: bytes, tmp_path: Path, prepare: Prepare
):
    sound = saved(np.zeros((5, 5), np.uint8), "PNG")
    files = {f"c{i % 3}/{i}.png": sound for i in range(12)} | {"c1/7.png": broken}
    with pytest.raises(ImageError, match=r"id 7 cannot be decoded .*It is .*/c1/7\.png\.") as found:
        prepare(folder(tmp_path, files), "train")
    assert "0x" not in str(found.value)


def test_several_broken_images_are_told_at_once(tmp_path: Path, prepare: Prepare):
    sound = saved(np.zeros((5, 5), np.uint8), "PNG")
    files = {f"a/{i}.png": (b"" if i in (2, 5, 8) else sound) for i in range(10)}
    card = folder(tmp_path, files)
    with pytest.raises(
        ImageError, match=r"id 2 .*Likewise refused: id 5 \(.*/5\.png\), id 8 \("
    ) as e:
        prepare(card, "train", threads=2)
    assert "perhaps" not in str(e.value)
    for i in range(10):
        (tmp_path / f"train/a/{i}.png").write_bytes(b"")
    with pytest.raises(ImageError, match=r"id 0 .*id 4 \(.*/4\.png\) and perhaps more\."):
        prepare(card, "train")


def test_a_row_of_parquet_files_is_named(tmp_path: Path, prepare: Prepare):
    sound = saved(np.zeros((5, 5), np.uint8), "PNG")
    features = datasets.Features(image=datasets.Image(), label=datasets.Value("int64"))
    for part in range(2):
        cells = [
            {"bytes": b"x" if part and i == 1 else sound, "path": f"{i}.png"} for i in range(3)
        ]
        rows = datasets.Dataset.from_dict({"image": cells, "label": [0] * 3}, features=features)
        rows.to_parquet(tmp_path / f"train-{part}.parquet")
    card = card_of({"kind": "parquet", "path": str(tmp_path)}, {"train": 6})
    with pytest.raises(ImageError, match=r"id 4 .* It is 1\.png, .*train-1\.parquet, row 1\."):
        prepare(card, "train")


def test_a_mode_that_no_encoder_takes_is_refused(tmp_path: Path, prepare: Prepare):
    buffer = io.BytesIO()
    Image.new("LA", (4, 4)).save(buffer, "TIFF")
    entry = struct.pack("<HHIH", 338, 3, 1, 2)  # ExtraSamples: 2 is alpha, 1 alpha multiplied in
    assert buffer.getvalue().count(entry) == 1
    file = buffer.getvalue().replace(entry, entry[:-2] + b"\1\0")
    with pytest.raises(ImageError, match=r"conversion from La to .* not supported.*0\.tif"):
        prepare(folder(tmp_path, {"a/0.tif": file}), "train")


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.complex64])
def test_arrays_that_are_no_images_are_refused(dtype: type):
    with pytest.raises(ImageError, match="Cannot handle this data type"):
        decoded(np.zeros((3, 3, 3), dtype))


def test_what_is_left_out_of_images_is_told(
    tmp_path: Path, prepare: Prepare, caplog: pytest.LogCaptureFixture
):
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (6, 6), (i, i, i)) for i in (10, 200)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    clear = np.full((6, 6, 4), 7, np.uint8)
    files = {
        "a/0.gif": buffer.getvalue(),
        "a/1.png": saved(clear, "PNG"),
        "a/2.png": saved(clear, "PNG"),
    }
    with caplog.at_level(logging.INFO):
        prepared = prepare(folder(tmp_path / "source", files), "train", threads=2)
    assert "mine/train: 1 images have several frames or pages" in caplog.text
    assert "mine/train: 2 images have transparency" in caplog.text
    assert prepared.image(0).convert("RGB").getpixel((2, 2)) == (10, 10, 10)


# Batches


@pytest.mark.parametrize("kind", ["raw", "encoded"])
def test_batches_end_by_bytes_and_the_fingerprint_does_not_tell(
    kind: str, tmp_path: Path, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
):
    sizes = [(8, 8)] * 7 if kind == "raw" else [(8, 8 + i) for i in range(7)]
    files = {
        f"a/{i}.png": saved(RNG.integers(0, 256, size).astype(np.uint8), "PNG")
        for i, size in enumerate(sizes)
    }
    card = folder(tmp_path / "source", files)
    whole = prepare(card, "train", threads=2)
    monkeypatch.setattr(writing, "_BATCH_BYTES", 2 * max(map(len, files.values())))
    if kind == "raw":
        monkeypatch.setattr(writing, "_BATCH_BYTES", 150)
    cut = prepare(card, "train", threads=2, folder="cut")
    monkeypatch.setattr(writing, "_BATCH_BYTES", 1)
    single = prepare(card, "train", folder="single")
    counts = [
        pa.ipc.open_file(tmp_path / name / "train.arrow").num_record_batches
        for name in ("prepared", "cut", "single")
    ]
    assert counts[0] == 1
    assert 1 < counts[1] < counts[2] == 7
    assert whole.facts == cut.facts == single.facts
    for i in range(7):
        assert np.array_equal(np.asarray(whole.image(i)), np.asarray(cut.image(i)))
    if kind == "raw":
        assert np.array_equal(whole.pixels(range(1, 6)), cut.pixels(range(1, 6)))


def test_a_file_larger_than_a_column_holds_is_refused(
    tmp_path: Path, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(admission, "_LARGEST_FILE", 100)
    files = {"a/0.png": saved(RNG.integers(0, 256, (9, 30)).astype(np.uint8), "PNG")}
    with pytest.raises(SourceError, match=r"its file has \d+ bytes, and 100 are the most .*0\.png"):
        prepare(folder(tmp_path, files), "train")
