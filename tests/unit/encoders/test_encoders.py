"""Weights are loaded strictly and safely; conversions rename and nothing else."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from semasia.compat import import_timm
from semasia.encoders import Encoder, TimmEncoder
from semasia.encoders.conversion import CONVERSIONS
from semasia.encoders.weights import build_network, digest_of, read_state_dict
from semasia.errors import EncoderError, WeightsError
from semasia.registry import EncoderCard, load_model_set
from semasia.registry.configuration import configuration_of

timm = import_timm()


def card(**changes: object) -> EncoderCard:
    fields = {"name": "lcnet_050.test", "architecture": "lcnet_050"}
    return EncoderCard.model_validate({**fields, **changes})


def from_file(path: Path, **more: object) -> EncoderCard:
    return card(weights={"source": "file", "path": str(path), **more})


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded lcnet_050, saved as safetensors."""
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "lcnet.safetensors"
    save_file(timm.create_model("lcnet_050").state_dict(), path)
    return path


def test_a_file_gives_the_same_latents_as_the_network_it_holds(checkpoint: Path) -> None:
    encoder = TimmEncoder(from_file(checkpoint), device="cpu")
    assert isinstance(encoder, Encoder)
    torch.manual_seed(3)
    network = timm.create_model("lcnet_050").eval()
    network.reset_classifier(0)
    image = Image.effect_noise((40, 30), 80)
    batch = torch.stack([encoder.preprocess(image)] * 2)
    assert batch.shape == (2, 3, 224, 224)
    with torch.no_grad():
        expected = network(batch).numpy()
    found = encoder.encode(batch)
    assert found.shape == (2, encoder.width) == expected.shape
    assert np.allclose(found, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def test_every_way_to_load_gives_the_same_digest(checkpoint: Path, tmp_path: Path) -> None:
    network, origin = build_network(from_file(checkpoint))
    state = network.state_dict()
    torch.save(state, tmp_path / "plain.pth")
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "wrapped.pt")
    folder = tmp_path / "folder"
    folder.mkdir()
    save_file(state, folder / "model.safetensors")
    for other in (
        from_file(tmp_path / "plain.pth"),
        from_file(tmp_path / "wrapped.pt"),
        card(weights={"source": "folder", "path": str(folder)}),
    ):
        assert build_network(other)[1]["sha256"] == origin["sha256"]
    seeded = card(weights={"source": "random", "seed": 3})
    assert build_network(seeded)[1]["sha256"] == origin["sha256"]
    other = card(weights={"source": "random", "seed": 4})
    assert build_network(other)[1]["sha256"] != origin["sha256"]


def test_seeding_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(11)
    expected = torch.rand(1)
    torch.manual_seed(11)
    build_network(card(weights={"source": "random", "seed": 4}))
    assert torch.rand(1) == expected


def test_the_digest_sees_every_value_and_name(checkpoint: Path) -> None:
    network = build_network(from_file(checkpoint))[0]
    before = digest_of(network)
    with torch.no_grad():
        network.get_parameter("classifier.bias")[0] += 1e-6
    assert digest_of(network) != before


class Evil:
    def __reduce__(self) -> tuple:
        return (exec, ("raise SystemError('code ran')",))


def test_bad_weights_get_one_clear_error(checkpoint: Path, tmp_path: Path) -> None:
    def refused(path: Path, message: str, **more: object) -> None:
        with pytest.raises(WeightsError, match=message):
            build_network(from_file(path, **more))

    refused(tmp_path / "none.safetensors", "there is no such file of weights")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(checkpoint.read_bytes()[:-1000])
    refused(cut, "cut.safetensors: cannot be read as weights")
    (tmp_path / "junk.pth").write_bytes(b"not a checkpoint")
    refused(tmp_path / "junk.pth", "junk.pth: cannot be read as weights")
    with (tmp_path / "evil.pth").open("wb") as file:
        pickle.dump(Evil(), file)
    refused(tmp_path / "evil.pth", "holds more than tensors")
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    refused(tmp_path / "list.pth", "holds no state dict")
    refused(checkpoint, "has SHA-256 .* but the model card says 0000", sha256="0" * 64)
    state = read_state_dict(checkpoint)
    save_file(
        {k: v for k, v in state.items() if k != "conv_stem.weight"}, tmp_path / "m.safetensors"
    )
    refused(tmp_path / "m.safetensors", "do not fit 'lcnet_050': .*conv_stem.weight")
    save_file({**state, "extra": torch.zeros(1)}, tmp_path / "x.safetensors")
    refused(tmp_path / "x.safetensors", "do not fit 'lcnet_050': .*extra")


def test_unknown_architectures_offer_near_ones() -> None:
    wrong = card(architecture="lcnet_05", weights={"source": "random", "seed": 0})
    with pytest.raises(WeightsError, match=r"no architecture 'lcnet_05'. Did you mean .*lcnet_050"):
        build_network(wrong)
    with pytest.raises(WeightsError, match="cannot be built with"):
        build_network(
            card(architecture_args={"nonsense": 1}, weights={"source": "random", "seed": 0})
        )


def test_a_checkpoint_that_cannot_be_fetched_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from huggingface_hub import constants

    # Read from the environment when the Hub's client was imported: without it, minutes of attempts.
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match=r"resnet18.a1_in1k: the checkpoint .* cannot be loaded"):
        build_network(EncoderCard.of_timm("resnet18.a1_in1k"))


def test_what_failed_to_be_fetched_may_pass_unless_it_was_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import httpx2
    from huggingface_hub import constants, errors

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    request = httpx2.Request("GET", "https://example.org")

    def answered(kind: type[Exception], status: int) -> Exception:
        return kind("no", response=httpx2.Response(status, request=request))  # type: ignore[call-arg]

    passing = [
        answered(errors.HfHubHTTPError, 503),
        answered(errors.HfHubHTTPError, 429),
        httpx2.ConnectError("no route", request=request),
        TimeoutError("slow"),
        errors.LocalEntryNotFoundError("no connection"),
    ]
    final = [
        answered(errors.GatedRepoError, 403),
        answered(errors.RepositoryNotFoundError, 404),
        errors.EntryNotFoundError("no file"),
        RuntimeError("Invalid pretrained tag"),
    ]
    for error in (*passing, *final):

        def failing(*_: object, failed: Exception = error, **__: object) -> None:
            raise failed

        monkeypatch.setattr(timm, "create_model", failing)
        with pytest.raises(WeightsError, match="cannot be loaded") as caught:
            build_network(EncoderCard.of_timm("resnet18.a1_in1k"))
        assert caught.value.may_pass is (error in passing), error


@pytest.mark.parametrize(
    "name",
    ["tf_efficientnet_lite0.in1k", "tf_efficientnet_lite2.in1k", "mobilenetv2_100.tonylins_in1k"],
)
def test_conversions_rename_one_to_one(name: str, repository: Path) -> None:
    from semasia.inputs.sources.arrays import package_file

    known = load_model_set("demo", repository / "registry" / "models")[name]
    weights = known.weights
    state = read_state_dict(package_file(weights.package, weights.distribution, weights.file))
    network = timm.create_model(known.architecture, **known.architecture_args)
    target = network.state_dict()
    renamed = CONVERSIONS[weights.converter](state, target)
    assert set(renamed) == set(target)
    assert sorted(t.data_ptr() for t in renamed.values()) == sorted(
        t.data_ptr() for t in state.values()
    )
    # Both implementations list their parameters in order of computation.
    assert list(renamed) == list(target)
    with pytest.raises(WeightsError, match=r"unexpected parameter 'surprise.weight'"):
        CONVERSIONS[weights.converter]({"surprise.weight": None}, target)


def test_another_shape_than_one_vector_each_is_refused() -> None:
    encoder = TimmEncoder(card(weights={"source": "random", "seed": 0}), device="cpu")
    batch = torch.zeros(2, 3, 224, 224)
    for wrong, shown in (
        (lambda x, pre_logits: (x, x), "tuple"),
        (lambda x, pre_logits: x, r"\(2, \d+, 7, 7\)"),
        (lambda x, pre_logits: torch.zeros(2, 5), r"\(2, 5\)"),
    ):
        encoder._network.network.forward_head = wrong
        with pytest.raises(EncoderError, match=rf"gave {shown} for 2 images; one vector of 1280"):
            encoder.encode(batch)


def test_rgba_palette_and_grey_images_become_rgb() -> None:
    encoder = TimmEncoder(card(weights={"source": "random", "seed": 0}), device="cpu")
    for mode in ("L", "RGB", "RGBA", "P", "CMYK", "1", "LA"):
        assert encoder.preprocess(Image.new(mode, (31, 47))).shape == (3, 224, 224)


def test_a_folder_is_what_timm_makes_of_it(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = timm.create_model("lcnet_050", num_classes=7)
    folder = tmp_path / "mine"
    network.pretrained_cfg.update(
        {"input_size": (3, 64, 64), "mean": (0.1, 0.2, 0.3), "std": (0.9, 0.8, 0.7),
         "interpolation": "bilinear", "crop_pct": 1.0, "num_classes": 7}
    )  # fmt: skip
    timm.models.save_for_hf(network, folder, safe_serialization=True)
    theirs = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    expected = timm.data.resolve_data_config({}, model=theirs)
    mine = card(weights={"source": "folder", "path": str(folder)})
    encoder = TimmEncoder(mine, "cpu")
    for key in ("input_size", "mean", "std", "interpolation", "crop_pct"):
        assert np.array_equal(encoder.data_config[key], expected[key])
    image = Image.effect_noise((40, 30), 80)
    batch = encoder.preprocess(image)[None]
    assert torch.equal(batch[0], timm.data.create_transform(**expected)(image.convert("RGB")))
    with torch.no_grad():
        vector = theirs.forward_head(theirs.forward_features(batch), pre_logits=True).numpy()
    assert np.allclose(encoder.encode(batch), vector, atol=1e-5)
    assert configuration_of(mine)["native_resolution"] == 64
    content = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**content, "architecture": "resnet18"}))
    with pytest.raises(WeightsError, match=r"config.json: is of the architecture 'resnet18', but"):
        TimmEncoder(mine, "cpu")
    (folder / "config.json").write_text("{half")
    with pytest.raises(WeightsError, match="is no configuration of a timm checkpoint"):
        TimmEncoder(mine, "cpu")


@pytest.mark.parametrize(
    ("flat", "changes"),
    [
        (True, {"labels": ["a"], "num_features": 96, "first_conv": "conv1.0"}),
        (True, {"classifier": ["head", "head_dist"], "pool_size": None, "license": "mit"}),
        (False, {"label_names": ["a"], "of_tomorrow": {"x": 1}, "model_args": None}),
    ],
)
def test_configurations_of_older_and_newer_timm(
    flat: bool, changes: dict[str, object], tmp_path: Path
) -> None:
    stated = {"input_size": [3, 96, 96], "mean": [0.1, 0.2, 0.3], "std": [0.5, 0.5, 0.5]}
    content = {"architecture": "test_resnet", "num_classes": 3, **changes}
    content |= stated if flat else {"pretrained_cfg": {**stated, "new_key": 1}}
    save_file(
        timm.create_model("test_resnet", num_classes=3).state_dict(), tmp_path / "model.safetensors"
    )
    (tmp_path / "config.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(content).encode())
    mine = card(architecture="test_resnet", weights={"source": "folder", "path": str(tmp_path)})
    found = TimmEncoder(mine, "cpu").data_config
    # timm itself reads no byte order mark, no null for arguments, no key that it does not know.
    content.pop("model_args", None)
    if not flat:
        content["pretrained_cfg"] = stated
    (tmp_path / "config.json").write_text(json.dumps(content))
    theirs = timm.create_model(f"local-dir:{tmp_path}", pretrained=False)
    expected = timm.data.resolve_data_config({}, model=theirs)
    for key in ("input_size", "mean", "std", "crop_pct", "interpolation"):
        assert np.array_equal(found[key], expected[key]), key
    (tmp_path / "config.json").write_text(
        json.dumps({"architecture": "test_resnet", "input_size": "3x96x96"})
    )
    with pytest.raises(WeightsError, match=r'config.json: `input_size` must be 3 numbers, .*"3x96'):
        TimmEncoder(mine, "cpu")


@pytest.mark.parametrize("source", ["random", "hub"])
@pytest.mark.parametrize(
    ("architecture", "arguments", "timms"),
    [
        ("test_vit", {"global_pool": "gem"}, "AssertionError: Only avg"),
        ("test_vit", {"class_token": False}, "AssertionError: Token pooling"),
        ("test_resnet", {"act_layer": "gelu2"}, "KeyError: 'gelu2'"),
        ("test_resnet", {"output_stride": 4}, "AssertionError"),
        ("test_vit", {"depth": "two"}, "TypeError"),
    ],
)
def test_arguments_that_timm_refuses_are_named_with_its_words(
    architecture: str, arguments: dict[str, object], timms: str, source: str
) -> None:
    weights = {"source": "hub"} if source == "hub" else {"source": "random", "seed": 0}
    wrong = card(architecture=architecture, architecture_args=arguments, weights=weights)
    with pytest.raises(WeightsError, match=f"'{architecture}' cannot be built with") as caught:
        build_network(wrong)
    assert timms in str(caught.value) and str(arguments) in str(caught.value)
    assert not caught.value.may_pass
