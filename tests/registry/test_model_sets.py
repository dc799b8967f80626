"""Every model set: it loads, its names are safe, and the named ones hold what they promise."""

from pathlib import Path

import pytest

from semasia.compat import import_timm
from semasia.errors import CardError
from semasia.files import sha256_of_file
from semasia.inputs.sources.arrays import package_file
from semasia.registry import PackageWeights, RandomWeights, load_model_set
from semasia.registry.cards import checked_name

FOLDER = Path(__file__).parents[2] / "registry" / "models"
SETS = sorted(path.stem for path in FOLDER.glob("*") if path.suffix in (".yaml", ".txt"))
SPLITS_OF_THE_PAPER = 17


def test_the_sets_are_these():
    assert SETS == ["demo", "semasia-v1", "timm-1.0.31"]


@pytest.mark.parametrize("name", SETS)
def test_every_set_loads_and_every_name_is_safe(name: str):
    models = load_model_set(name, FOLDER)
    assert models
    for key, card in models.items():
        assert checked_name(key) == card.name == key


@pytest.mark.parametrize("name", SETS)
def test_names_differ_in_more_than_case(name: str):
    models = load_model_set(name, FOLDER)
    assert len({key.lower() for key in models}) == len(models)


def test_a_key_given_twice_is_refused(tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "description: mine\nmodels:\n  - name: a.b\n    architecture: resnet18\n    name: a.c\n"
    )
    with pytest.raises(CardError, match=r"mine\.yaml: .*'name' is defined twice, in lines 3 and 5"):
        load_model_set("mine", tmp_path)


def test_the_papers_set_has_1697_models_without_the_two_largest():
    models = load_model_set("semasia-v1", FOLDER)
    assert len(set(models)) == 1697
    assert len(models) * SPLITS_OF_THE_PAPER == 28_849
    assert not [name for name in models if name.startswith("vit_7b_patch16_dinov3")]


def test_the_papers_set_lies_within_what_the_installed_timm_lists():
    assert set(load_model_set("semasia-v1", FOLDER)) <= set(load_model_set("timm-1.0.31", FOLDER))


def test_the_timm_set_is_what_the_installed_timm_lists():
    timm = import_timm()
    assert timm.__version__ == "1.0.31"
    assert list(load_model_set("timm-1.0.31", FOLDER)) == sorted(timm.list_pretrained())


def test_a_name_in_a_text_set_is_timms_identifier():
    for card in load_model_set("semasia-v1", FOLDER).values():
        assert card.architecture == card.name
        assert card.weights.source == "hub"


def test_the_demo_weights_are_the_packages_files():
    shipped = [
        card.weights
        for card in load_model_set("demo", FOLDER).values()
        if isinstance(card.weights, PackageWeights)
    ]
    assert len(shipped) == 4
    for weights in shipped:
        path = package_file(weights.package, weights.distribution, weights.file)
        assert sha256_of_file(path) == weights.sha256


def test_the_demo_has_one_untrained_control_and_its_name_says_so():
    models = load_model_set("demo", FOLDER)
    controls = [card for card in models.values() if card.is_control]
    assert [card.name for card in controls] == ["tf_efficientnet_lite0.untrained_seed0"]
    assert isinstance(controls[0].weights, RandomWeights)
    assert controls[0].notes is not None
    assert "never trained" in controls[0].notes
    assert not [card.name for card in models.values() if "untrained" in card.name][1:]


def test_every_demo_architecture_is_timms():
    timm = import_timm()
    for card in load_model_set("demo", FOLDER).values():
        assert timm.is_model(card.architecture)


def test_a_list_of_any_editor_is_read(tmp_path: Path):
    text = "\ufeffresnet18.a1_in1k  \r\n# mine\r\n\r\nresnet50.a1_in1k # why\r\n"
    (tmp_path / "mine.txt").write_bytes(text.encode())
    assert list(load_model_set("mine", tmp_path)) == ["resnet18.a1_in1k", "resnet50.a1_in1k"]
    card = "\ufeffdescription: mine\r\nmodels:\r\n  - {name: a, architecture: resnet18}\r\n"
    (tmp_path / "card.yaml").write_bytes(card.encode())
    assert list(load_model_set("card", tmp_path)) == ["a"]


@pytest.mark.parametrize(
    "prefix",
    ["timm/", "timm:", "hf-hub:", "hf-hub:timm/", "hf_hub:timm/", "https://huggingface.co/timm/"],
)
def test_a_prefix_is_to_be_dropped(prefix: str, tmp_path: Path):
    (tmp_path / "mine.txt").write_text(f"{prefix}resnet50.a1_in1k\n")
    with pytest.raises(CardError, match=r"line 1: .*without it: 'resnet50\.a1_in1k'"):
        load_model_set("mine", tmp_path)
    content = f"description: x\nmodels:\n  - {{name: a, architecture: '{prefix}resnet18.x'}}\n"
    (tmp_path / "card.yaml").write_text(content)
    with pytest.raises(CardError, match=r"without a prefix: 'resnet18\.x'"):
        load_model_set("card", tmp_path)
