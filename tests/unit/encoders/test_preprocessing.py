"""Preprocessing by batches gives timm's own pixels, bit for bit, for every geometry in use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError
from safetensors.torch import save_file
from sklearn.datasets import load_sample_images

from semasia.compat import import_timm
from semasia.encoders import TimmEncoder, resampling, window
from semasia.encoders.construction import never_loaded, without_initial_values
from semasia.encoders.framing import framing_of
from semasia.encoders.preprocessing import DevicePreprocessing, ReferencePreprocessing
from semasia.encoders.resampling import (
    PRECISION,
    resampling_matrix,
    resampling_window,
    rows_first,
    rows_first_by_rule,
)
from semasia.errors import EncoderError, ImageError
from semasia.registry import EncoderCard, load_model_set

timm = import_timm()

KINDS = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")


def resized(pixels: np.ndarray, size: tuple[int, int], kind: str) -> np.ndarray:
    """Resize by whole-number arithmetic alone, as Pillow's C code does."""
    half = 1 << (PRECISION - 1)
    down, across = (resampling_matrix(pixels.shape[i], size[i], kind) for i in (0, 1))

    def rows(x: np.ndarray) -> np.ndarray:
        return np.clip((x @ across.T + half) >> PRECISION, 0, 255)

    def columns(x: np.ndarray) -> np.ndarray:
        return np.clip((down @ x + half) >> PRECISION, 0, 255)

    values = pixels.astype(np.int64)
    first = rows_first((pixels.shape[0], pixels.shape[1]), size, kind)
    return columns(rows(values)) if first else rows(columns(values))


@settings(max_examples=150, deadline=None)
@given(st.tuples(*[st.integers(1, 70)] * 4), st.sampled_from(KINDS), st.integers(0, 2**32 - 1))
def test_the_matrices_are_pillows(sizes: tuple[int, ...], kind: str, seed: int) -> None:
    height, width, to_height, to_width = sizes
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.uint8)
    filter_ = Image.Resampling[kind.upper()]
    expected = np.asarray(Image.fromarray(pixels).resize((to_width, to_height), filter_))
    assert np.array_equal(resized(pixels, (to_height, to_width), kind), expected)


@pytest.mark.parametrize(
    ("size", "to", "kind"),
    [((10, 4), (2, 2), "bicubic"), ((16, 3), (2, 2), "lanczos"), ((16, 5), (2, 2), "box")],
)
def test_the_order_of_passes_is_found_where_one_image_does_not_tell(
    size: tuple[int, int], to: tuple[int, int], kind: str
) -> None:
    rng = np.random.default_rng(5)
    for _ in range(40):
        pixels = rng.integers(0, 256, size).astype(np.uint8)
        filter_ = Image.Resampling[kind.upper()]
        expected = np.asarray(Image.fromarray(pixels).resize((to[1], to[0]), filter_))
        assert np.array_equal(resized(pixels, to, kind), expected)


def test_weights_of_a_pixel_sum_to_one() -> None:
    for kind in KINDS:
        for pair in ((28, 256), (500, 224), (64, 64)):
            total = resampling_matrix(*pair, kind).sum(axis=1) / (1 << PRECISION)
            assert np.allclose(total, 1, atol=1e-5)


def test_a_pillow_that_resizes_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "resampling_matrix", lambda a, b, kind: np.eye(b, a))
    with pytest.raises(EncoderError, match="another way than the one known here"):
        rows_first((20, 20), (30, 30), "bicubic")


@pytest.fixture(scope="module")
def geometries(repository: Path) -> list[dict[str, Any]]:
    """timm's data configuration for each distinct geometry of the registry."""
    table = pq.read_table(
        repository / "registry" / "registry.parquet",
        columns=["model_name"],
        filters=[("weights_source", "=", "hub")],
    )
    found = {}
    for name in table["model_name"].to_pylist():
        stated = timm.get_pretrained_cfg(name).to_dict()
        config = timm.data.resolve_data_config({}, pretrained_cfg=stated)
        key = tuple(config[k] for k in ("input_size", "interpolation", "crop_pct", "crop_mode"))
        found.setdefault(key, config)
    return list(found.values())


def images() -> dict[str, Image.Image]:
    """Real photographs, upright and turned, and small images of the benchmarks' sizes."""
    china, flower = (Image.fromarray(a) for a in load_sample_images().images)
    rng = np.random.default_rng(0)
    small = {
        f"{shape}": Image.fromarray(rng.integers(0, 256, shape).astype(np.uint8))
        for shape in ((28, 28), (32, 32), (64, 64), (28, 28, 3), (32, 32, 3), (64, 64, 3))
    }
    return {
        "china": china,
        "flower": flower.transpose(Image.Transpose.ROTATE_90),
        "face": china.crop((100, 50, 278, 268)),
        "grey photograph": flower.crop((10, 10, 74, 74)).convert("L"),
        **small,
    }


def test_every_geometry_gives_timms_pixels(geometries: list[dict[str, Any]]) -> None:
    assert len(geometries) >= 111
    largest = 0.0
    for config in geometries:
        reference, device = ReferencePreprocessing(config), DevicePreprocessing(config)
        for image in images().values():
            expected = reference.load(image)
            found = [device.finish(device.load(image)[None])[0]]
            if image.width * image.height <= 300 * 300:
                raw = torch.from_numpy(np.array(image))
                found.append(device.finish(raw[None])[0])
            for one in found:
                largest = max(largest, (one - expected).abs().max().item())
                assert torch.equal(one, expected), (config, image)
    assert largest == 0.0


@pytest.mark.parametrize(
    "name",
    [
        "tf_efficientnet_lite0.in1k",
        "tf_efficientnet_lite1.in1k",
        "tf_efficientnet_lite2.in1k",
        "mobilenetv2_100.tonylins_in1k",
    ],
)
def test_pretrained_latents_are_those_of_timms_transform(repository: Path, name: str) -> None:
    card = load_model_set("demo", repository / "registry" / "models")[name]
    reference = TimmEncoder(card, "cpu", preprocess="reference")
    device = TimmEncoder(card, "cpu", preprocess="device")
    cosines = []
    for image in images().values():
        expected = reference.encode(reference.preprocess(image)[None])[0]
        raw = torch.from_numpy(np.array(image))[None]
        small = image.width * image.height <= 300 * 300
        found = device.encode(raw if small else device.preprocess(image)[None])[0]
        norms = np.linalg.norm(found) * np.linalg.norm(expected)
        cosines.append(found.astype(np.float64) @ expected.astype(np.float64) / norms)
    assert min(cosines) >= 0.9999
    assert np.median(cosines) >= 0.99999


def test_batches_are_their_images(geometries: list[dict[str, Any]]) -> None:
    pixels = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (7, 32, 32, 3), np.uint8))
    for config in geometries[::10]:
        device = DevicePreprocessing(config)
        whole = device.finish(pixels)
        for i, one in enumerate(pixels):
            assert torch.equal(device.finish(one[None])[0], whole[i])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no accelerator here")
def test_every_geometry_gives_timms_pixels_on_an_accelerator(
    geometries: list[dict[str, Any]],
) -> None:
    for config in geometries:
        reference, device = ReferencePreprocessing(config), DevicePreprocessing(config)
        for image in images().values():
            raw = torch.from_numpy(np.array(image))[None].cuda()
            assert torch.equal(device.finish(raw)[0].cpu(), reference.load(image))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", [torch.uint8, torch.int16])
def test_looking_up_is_normalising(
    geometries: list[dict[str, Any]], channels: int, kind: torch.dtype
) -> None:
    """The way of an accelerator, on the processor."""
    pixels = torch.arange(256).to(kind).view(1, 1, 16, 16).expand(2, channels, -1, -1)
    for config in geometries[::10]:
        device = DevicePreprocessing(config)
        found = device._looked_up(pixels)
        assert torch.equal(found, device._normalised(pixels))
        assert found.shape == (2, 3, 16, 16)
        assert found.is_contiguous(memory_format=torch.channels_last)


def test_raw_pixels_are_taken_where_products_are_faster() -> None:
    config = timm.data.resolve_data_config({"input_size": (3, 224, 224)})
    device = DevicePreprocessing(config)
    processor, accelerator = torch.device("cpu"), torch.device("cuda")
    assert device.takes_pixels((28, 28), processor)
    assert device.takes_pixels((32, 32, 3), processor)
    assert not device.takes_pixels((128, 128, 3), processor)
    assert device.takes_pixels((128, 128, 3), accelerator)
    # The first pass would make an image of 224 × 280,000 of it.
    assert not device.takes_pixels((4, 5000), accelerator)
    assert not ReferencePreprocessing(config).takes_pixels((28, 28), accelerator)


THIN = [(1, 700), (900, 1), (3, 500), (400, 2), (40, 1500), (33, 34)]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_the_part_that_is_kept_has_timms_pixels(
    kind: str, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(7)
    config = {"interpolation": kind, "mean": (0.4,) * channels, "std": (0.3,) * channels}
    for mode, share, sides in (
        ("center", 0.875, (32, 32)),
        ("center", 1.15, (24, 40)),
        ("squash", 1.0, (33, 20)),
        ("border", 1.0, (32, 32)),
    ):
        stated = {"input_size": (channels, *sides), "crop_mode": mode, "crop_pct": share}
        reference = ReferencePreprocessing({**config, **stated})
        device = DevicePreprocessing({**config, **stated})
        for shape in [s for s in THIN if mode != "border" or min(s) > 30]:
            pixels = rng.integers(0, 256, (*shape, 3)).astype(np.uint8)
            for image in (Image.fromarray(pixels), Image.fromarray(pixels[..., 0] // 128 * 255)):
                monkeypatch.setattr(window, "_LARGEST_RESIZED", 1 << 60)
                expected = reference.load(image)
                assert torch.equal(device.finish(device.load(image)[None])[0], expected)
                monkeypatch.setattr(window, "_LARGEST_RESIZED", 0)
                assert torch.equal(reference.load(image), expected), (stated, shape)
                assert torch.equal(device.finish(device.load(image)[None])[0], expected)


def test_a_very_thin_image_takes_little_memory_and_is_the_same_both_ways() -> None:
    """1×30,000 pixels would make 256×7,680,000, which are 8 GB as RGB."""
    config = timm.data.resolve_data_config({"input_size": (3, 224, 224)})
    column = np.random.default_rng(3).integers(0, 256, (30_000, 1, 3)).astype(np.uint8)
    for pixels in (column, column.transpose(1, 0, 2)):
        image = Image.fromarray(pixels)
        found = ReferencePreprocessing(config).load(image)
        device = DevicePreprocessing(config)
        assert torch.equal(device.finish(device.load(image)[None])[0], found)
        assert found.std() > 0
        assert found.shape == (3, 224, 224)


@pytest.mark.parametrize("kind", KINDS)
def test_a_window_is_rows_of_the_whole_matrix(kind: str) -> None:
    for sizes in ((50, 700), (700, 50), (31, 31), (1, 90)):
        whole = resampling_matrix(*sizes, kind)
        for first, last in ((0, 1), (sizes[1] // 3, sizes[1] // 2), (sizes[1] - 1, sizes[1])):
            start, part = resampling_window(*sizes, kind, first, last)
            assert np.array_equal(whole[first:last, start : start + part.shape[1]], part)
            assert whole[first:last].sum() == part.sum()


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[st.integers(1, 60)] * 4))
def test_the_order_of_passes_goes_by_the_rule(sizes: tuple[int, ...]) -> None:
    size, resized = (sizes[0], sizes[1]), (sizes[2], sizes[3])
    possible = resampling._possible_orders(size, resized, "bicubic")
    assert rows_first_by_rule(size, resized) in possible


def test_a_pillow_of_another_rule_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "_rule", lambda size, resized: True)
    resampling._check_rule.cache_clear()
    with pytest.raises(EncoderError, match="in another order than the one known here"):
        rows_first_by_rule((1, 30_000), (256, 7_680_000))
    resampling._check_rule.cache_clear()


ONE = {"input_size": (1, 32, 32), "mean": (0.1,), "std": (0.5,), "interpolation": "bicubic"}


@pytest.mark.parametrize("framing", [{"crop_pct": 0.9}, {"crop_mode": "border", "crop_pct": 1.0}])
def test_one_channel_has_the_same_grey_pixels_both_ways(framing: dict[str, Any]) -> None:
    config = {**ONE, **framing}
    reference, device = ReferencePreprocessing(config), DevicePreprocessing(config)
    processor = torch.device("cpu")
    rng = np.random.default_rng(2)
    for shape in ((28, 28), (40, 31), (28, 28, 3), (60, 45, 3)):
        image = Image.fromarray(rng.integers(0, 256, shape).astype(np.uint8))
        expected = import_timm().data.create_transform(**config)(image.convert("L"))
        assert expected.shape == (1, 32, 32)
        assert torch.equal(reference.load(image), expected)
        assert torch.equal(device.finish(device.load(image)[None])[0], expected)
        if device.takes_pixels(shape, processor):
            raw = torch.from_numpy(np.array(image))[None]
            assert torch.equal(device.finish(raw)[0], expected)
        looked_up = device._looked_up(device.load(image)[None])
        assert torch.equal(looked_up[0], expected)
    # Grey of three channels is a weighted sum, rounded before it is resized.
    assert not device.takes_pixels((28, 28, 3), processor)
    assert device.takes_pixels((28, 28), processor)


@pytest.mark.parametrize("kind", [ReferencePreprocessing, DevicePreprocessing])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"input_size": (4, 32, 32)},
            "the network takes images of 4 channels; 1 .* or 3 .* needed",
        ),
        ({"input_size": (2, 32, 32)}, "the network takes images of 2 channels"),
        ({"mean": (0.5,) * 3}, "`mean` has 3 values, and the network takes images of 1 channel$"),
        ({"std": (0.5,) * 3}, "`std` has 3 values"),
        ({"input_size": (3, 32, 32), "std": (0.5,) * 2}, "`std` has 2 values, .* of 3 channels"),
    ],
)
def test_channels_that_do_not_fit_are_refused_both_ways(
    kind: type, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(EncoderError, match=message):
        kind({**ONE, **changes})


def test_one_mean_serves_three_channels() -> None:
    one = {**ONE, "input_size": (3, 32, 32), "crop_mode": "border", "crop_pct": 1.0}
    three = {**one, "mean": (0.1,) * 3, "std": (0.5,) * 3}
    image = images()["china"]
    expected = ReferencePreprocessing(three).load(image)
    for config in (one, three):
        device = DevicePreprocessing(config)
        assert torch.equal(ReferencePreprocessing(config).load(image), expected)
        assert torch.equal(device.finish(device.load(image)[None])[0], expected)


@pytest.mark.parametrize("preprocess", ["reference", "device"])
def test_a_network_of_one_channel_says_so_in_provenance(preprocess: str, tmp_path: Path) -> None:
    network = timm.create_model("test_resnet", in_chans=1)
    save_file(network.state_dict(), tmp_path / "model.safetensors")
    first_and_last = {"first_conv": "conv1.0", "classifier": "fc"}
    stated = {"input_size": [1, 32, 32], "mean": [0.1], "std": [0.5], **first_and_last}
    config = {"architecture": "test_resnet", "model_args": {"in_chans": 1}, "num_classes": 1000}
    (tmp_path / "config.json").write_text(json.dumps({**config, "pretrained_cfg": stated}))
    source = {"source": "folder", "path": str(tmp_path)}
    card = {"name": "grey", "architecture": "test_resnet", "weights": source}

    def built(**data_config: object) -> TimmEncoder:
        whole = EncoderCard.model_validate({**card, "data_config": data_config})
        return TimmEncoder(whole, "cpu", preprocess=preprocess)

    for grey in (built(), built(mean=[0.1]), built(input_size=[1, 32, 32], std=[0.5])):
        assert grey.describe()["preprocessing"]["image_mode"] == "L"
        assert grey.describe()["preprocessing"]["mean"] == [0.1]
        image = Image.fromarray(np.arange(1024, dtype=np.uint8).reshape(32, 32))
        assert grey.encode(grey.preprocess(image)[None]).shape == (1, grey.width)
    stated["mean"] = [0.5] * 3
    (tmp_path / "config.json").write_text(json.dumps({**config, "pretrained_cfg": stated}))
    with pytest.raises(EncoderError, match=r"grey: `mean` has 3 values.* See `data_config`"):
        built()
    with pytest.raises(ValidationError, match="`mean` has 3 values for images of 1 channel"):
        built(input_size=[1, 32, 32], mean=[0.1] * 3)


def test_an_image_too_thin_to_be_resized_is_refused() -> None:
    config = {"input_size": (3, 32, 32), "crop_mode": "border", "crop_pct": 1.0, "mean": (0,) * 3}
    with pytest.raises(ImageError, match="of 5000×1 pixels would be resized to 32×0"):
        framing_of(config, 1, 5000)


def test_framing_of_each_mode() -> None:
    base = {"input_size": (3, 224, 224), "crop_pct": 0.875, "mean": (0.5, 0.25, 0.0)}
    centre = framing_of({**base, "crop_mode": "center"}, 300, 400)
    assert (centre.resized, centre.top, centre.left, centre.padded) == ((256, 341), 16, 58, False)
    squash = framing_of({**base, "crop_mode": "squash"}, 300, 400)
    assert (squash.resized, squash.top, squash.left) == ((256, 256), 16, 16)
    border = framing_of({**base, "crop_mode": "border", "crop_pct": 1.0}, 300, 400)
    assert (border.resized, border.top, border.fill) == ((168, 224), -28, (128, 64, 0))
    assert border.padded
    wide = framing_of({**base, "crop_pct": 1.15}, 32, 32)
    assert (wide.resized, wide.padded) == ((194, 194), True)


@pytest.mark.parametrize(
    "name", ["vit_tiny_patch16_224", "swin_tiny_patch4_window7_224", "resnet10t"]
)
def test_a_network_without_initial_values_loads_the_same(name: str) -> None:
    torch.manual_seed(0)
    usual = timm.create_model(name).eval()
    with without_initial_values():
        bare = timm.create_model(name).eval()
    assert never_loaded(bare)
    bare.load_state_dict(usual.state_dict())
    assert never_loaded(bare) == []
    with torch.no_grad():
        images = torch.randn(1, 3, 224, 224)
        assert torch.equal(bare(images), usual(images))


def test_what_no_checkpoint_fills_is_found() -> None:
    with without_initial_values():
        network = timm.create_model("lcnet_050")
    state = timm.create_model("lcnet_050").state_dict()
    del state["conv_head.weight"]
    network.load_state_dict(state, strict=False)
    assert never_loaded(network) == ["conv_head.weight"]
