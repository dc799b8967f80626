"""Cards, model sets and configurations: what their closed schemas refuse, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from semasia.config import Collection, parse_config
from semasia.errors import CardError, ConfigError
from semasia.inputs import BenchmarkCard, find_benchmark, load_benchmark
from semasia.registry import EncoderCard, load_model_set
from semasia.registry.cards import checked_name
from semasia.registry.sets import read_model_set

from unit.inputs.tiny_hub import REGISTRY

# Benchmark cards

HUB = {"kind": "hub", "repo": "someone/something"}
CONTENT = {
    "name": "mine",
    "title": "Mine",
    "source": HUB,
    "splits": {"train": {"rows": 10}, "test": {"rows": 5}},
    "labels": {"label": {"classes": 3}},
    "probe": {"fit": "train", "score": "test", "labels": ["label"]},
    "licence": "CC0",
    "citation": "Mine.",
}


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., BenchmarkCard]:
    """Write CONTENT with some keys replaced (None: left out) as a card, and load it."""

    def write(**update: object) -> BenchmarkCard:
        content = {k: v for k, v in {**CONTENT, **update}.items() if v is not None}
        path = tmp_path / "mine.yaml"
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        return load_benchmark(path)

    return write


def test_the_card_that_the_others_vary_is_right(load: Callable[..., BenchmarkCard]):
    assert load().splits["train"].rows == 10


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ({"licens": "CC0"}, r"unknown key `licens`\. Did you mean licence"),
        ({"split": {}}, r"unknown key `split`\. Did you mean splits"),
        (
            {"splits": {"train": {"row": 1}}},
            r"unknown key `splits\.train\.row`\. Did you mean rows",
        ),
        ({"source": {**HUB, "revison": "a"}}, r"unknown key `source\..*revison`\..*mean revision"),
        ({"qqqq": 1}, r"unknown key `qqqq`\.(?! Did)"),
        ({"title": None}, r"`title` is missing\."),
        (
            {"source": {**HUB, "revision": "main"}},
            r"a commit of 40 hex digits, not a branch .*'main'",
        ),
        ({"source": {**HUB, "revision": "abc1234"}}, r"40 hex digits, .*'abc1234'"),
        ({"source": {**HUB, "revision": "A" * 40}}, r"40 hex digits"),
        ({"source": {**HUB, "revision": "a" * 40 + "\n"}}, r"40 hex digits"),
        ({"source": {**HUB, "repo": "something"}}, r"`source\..*repo`: .* \(found 'something'\)"),
        ({"source": {"kind": "web"}}, r"`source`: .*'web'"),
        ({"name": "my benchmark"}, r"`name`: .* \(found 'my benchmark'\)"),
        ({"name": "../mine"}, r"`name`: .* \(found '\.\./mine'\)"),
        ({"splits": {"a/b": {"rows": 1}}}, r"split name 'a/b' may hold letters, digits"),
        ({"splits": {"source": {"rows": 1}}}, r"split name 'source' is taken"),
        (
            {"splits": {"train": {"rows": 0}}},
            r"`splits\.train\.rows`: .*greater than 0 \(found 0\)",
        ),
        ({"splits": {}}, r"`splits`: "),
        ({"probe": {**CONTENT["probe"], "fit": "valid"}}, r"probe: split 'valid' is not among"),
        ({"probe": {**CONTENT["probe"], "labels": ["a"]}}, r"probe: label 'a' is not among \['lab"),
        (
            {"labels": {"id": {}, "label": {}}},
            r"label columns \['id'\] clash with columns of a shar",
        ),
        (
            {"labels": {"label": {"names": ["a", "b"], "classes": 3}}},
            r"`classes` is 3, but 2 names are given",
        ),
        ({"folds": 5}, r"`folds` of the card and of its splits are given together"),
        (
            {"folds": 2, "splits": {s: {"rows": 1, "folds": [0]} for s in ("train", "test")}},
            r"a fold belongs to two splits",
        ),
        (
            {"folds": 2, "splits": {"train": {"rows": 1, "folds": [2]}}, "probe": None},
            r"split 'train': folds \(2,\) are not below 2",
        ),
    ],
)
def test_a_wrong_card_is_refused_by_key_and_value(
    update: dict, message: str, load: Callable[..., BenchmarkCard], tmp_path: Path
):
    with pytest.raises(CardError, match=message) as caught:
        load(**update)
    assert str(caught.value).startswith(str(tmp_path / "mine.yaml"))


def test_a_commit_of_40_hex_digits_is_kept(load: Callable[..., BenchmarkCard]):
    card = load(source={**HUB, "revision": "0123456789abcdef" * 2 + "01234567"})
    assert card.source.revision == "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"`the top level`"),
        ("- a\n- b\n", r"`the top level`"),
        ("name: [", r"is not readable YAML"),
        ("name: \x00", r"is not readable YAML"),
    ],
)
def test_a_file_that_is_no_card_is_refused(text: str, message: str, tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(CardError, match=message):
        load_benchmark(path)


def test_a_card_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(CardError, match=r"mine\.yaml: there is no such file"):
        load_benchmark(tmp_path / "mine.yaml")


@pytest.mark.parametrize(
    ("update", "wrong"),
    [
        ({"labels": {"label": {"classes": 3, "absent": ["tset"]}}}, "tset"),
        ({"source": {**HUB, "files": {"tset": "test-*"}}}, "tset"),
    ],
    ids=["absent", "files"],
)
def test_a_split_that_is_named_elsewhere_in_a_card_is_one_of_its_own(
    update: dict, wrong: str, load: Callable[..., BenchmarkCard]
):
    with pytest.raises(CardError, match=wrong):
        load(**update)


@pytest.mark.parametrize("name", ["cifar1", "Cifar10", "cifar-10", "mnist "])
def test_an_unknown_benchmark_offers_near_names(name: str):
    near = "mnist" if name.startswith("mnist") else "cifar10"
    with pytest.raises(CardError, match=rf"unknown benchmark {name!r}.* Did you mean .*{near}"):
        find_benchmark(name, REGISTRY / "benchmarks")


def test_an_unknown_benchmark_without_near_names_lists_all():
    with pytest.raises(
        CardError, match=r"unknown benchmark 'zzz'.*\. Known: celeba, cifar10, "
    ) as e:
        find_benchmark("zzz", REGISTRY / "benchmarks")
    assert "Did you mean" not in str(e.value)


@pytest.mark.parametrize("name", ["../benchmarks/cifar10", "/etc/hosts", ""])
def test_a_path_is_no_name_of_a_benchmark(name: str):
    with pytest.raises(CardError, match=f"unknown benchmark {name!r}"):
        find_benchmark(name, REGISTRY / "benchmarks")


# Names of models

UNSAFE = ["", " ", "a b", "a/b", "a\\b", "..", "a..b", ".a", "-a", "a\n", "a\tb", "a:b", "é"]
UNSAFE += ["a" * 121]


@pytest.mark.parametrize("name", UNSAFE)
def test_an_unsafe_name_is_refused_by_the_check_and_by_the_card(name: str):
    with pytest.raises(ValueError, match="cannot be a model name"):
        checked_name(name)
    with pytest.raises(ValidationError, match="cannot be a model name"):
        EncoderCard(name=name, architecture="resnet18")


@given(st.text() | st.text(alphabet="aZ0_.+-/\\ \n\x00~:", max_size=12))
@example("resnet18.a1_in1k")
@example("a" * 120)
def test_a_name_is_returned_as_it_is_or_refused(name: str):
    try:
        found = checked_name(name)
    except ValueError as error:
        assert "cannot be a model name" in str(error)
        return
    assert found == name
    assert 0 < len(found) <= 120
    assert found.isascii()
    assert found.isprintable()
    assert not set(found) & set("/\\:~")
    assert not any(character.isspace() for character in found)
    assert ".." not in found
    assert Path("folder", found).parent == Path("folder")
    assert Path(found).name == found


# Model sets


def cards(*names: str) -> str:
    models = [{"name": name, "architecture": "resnet18"} for name in names]
    return yaml.safe_dump({"description": "Mine.", "models": models})


@pytest.mark.parametrize(
    ("suffix", "text", "message"),
    [
        (".txt", "a.x\nb.x\na.x\n", r"mine\.txt, line 3: model 'a\.x' is there twice"),
        (".yaml", cards("a.x", "b.x", "a.x"), r"mine\.yaml: model 'a\.x' is there twice"),
        (".txt", "a.x\na/x\n", r"mine\.txt, line 2: 'a/x' cannot be a model name"),
        (".txt", "# two words\na x\n", r"mine\.txt, line 2: 'a x' cannot be a model name"),
        (".yaml", cards("a/x"), r"mine\.yaml: .*'a/x' cannot be a model name"),
        (
            ".yaml",
            "description: Mine.\nmodles: []\n",
            r"unknown key `modles`\. Did you mean models",
        ),
        (".yaml", "description: Mine.\nmodels: []\n", r"`models`: .*at least 1 item"),
    ],
    ids=["txt_twice", "yaml_twice", "txt_slash", "txt_space", "yaml_slash", "key", "empty"],
)
def test_a_wrong_model_set_is_refused(suffix: str, text: str, message: str, tmp_path: Path):
    (tmp_path / f"mine{suffix}").write_text(text)
    with pytest.raises(CardError, match=message):
        load_model_set("mine", tmp_path)


def test_a_model_set_keeps_the_order_of_its_file_and_drops_comments(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("# a set\n\nb.x\na.x  # the best\n")
    assert list(load_model_set("mine", tmp_path)) == ["b.x", "a.x"]


def test_a_model_set_that_is_no_text_is_refused(tmp_path: Path):
    (tmp_path / "mine.txt").write_bytes(b"resnet18.a1_in1k\n\xff\xfe\n")
    with pytest.raises(CardError, match=r"mine\.txt"):
        load_model_set("mine", tmp_path)


@pytest.mark.parametrize("name", ["demos", "Demo"])
def test_an_unknown_model_set_offers_near_names(name: str):
    with pytest.raises(CardError, match=rf"unknown model set {name!r}.* Did you mean demo\?"):
        load_model_set(name, REGISTRY / "models")


def test_a_model_set_of_ones_own_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(CardError, match=r"mine\.yaml: there is no such model set"):
        read_model_set(tmp_path / "mine.yaml")


@pytest.mark.parametrize("name", ["../models/demo", "/etc/hosts", ""])
def test_a_path_is_no_name_of_a_model_set(name: str):
    with pytest.raises(CardError, match=f"unknown model set {name!r}"):
        load_model_set(name, REGISTRY / "models")


# Configurations

BASE = {"benchmarks": [{"name": "digits"}], "models": {"set": "demo"}}
LITE = "tf_efficientnet_lite0.in1k"
OTHER = "mobilenetv2_100.tonylins_in1k"
CONTROL = "tf_efficientnet_lite0.untrained_seed0"


def resolve(**update: object) -> Collection:
    """Resolve BASE with some keys replaced."""
    return Collection.resolve(parse_config({**BASE, **update}, "my.yaml"), REGISTRY, "my.yaml")


def digits(**more: object) -> dict:
    return {"benchmarks": [{"name": "digits", **more}]}


def projection(**update: object) -> dict:
    content = {"benchmark": "digits", "split": "test", "models": [LITE], **update}
    return {"figures": {"projection": content}}


def comparison(**update: object) -> dict:
    return {"comparison": {"benchmark": "digits", "models": [LITE, OTHER], **update}}


def test_a_comparison_names_its_models_splits_and_jobs():
    wanted = {"pairs": [{"a": CONTROL, "b": LITE}], "tile": 1, "few_rows": [500, 100]}
    collection = resolve(**comparison(**wanted, models=[LITE, OTHER, CONTROL]))
    found = collection.config.comparison
    assert found is not None
    assert collection.compared_splits() == ("train", "test")
    assert found.compared() == (OTHER, LITE, CONTROL)
    assert found.tiles() == [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    assert found.few_rows == (100, 500)
    assert resolve(**comparison(score="train")).compared_splits() == ("train", "train")


def test_a_comparison_of_pairs_alone_compares_their_models():
    found = resolve(**comparison(models=None, pairs=[{"a": CONTROL, "b": LITE}]))
    assert found.config.comparison is not None
    assert found.config.comparison.compared() == (LITE, CONTROL)


def test_a_configuration_becomes_its_targets():
    collection = resolve(**digits(rows={"train": 100, "test": 10**6}), **projection())
    targets = list(collection.targets())
    assert len(targets) == len(set(targets)) == 5 * 2
    assert collection.rows("digits", "train") == 100
    assert collection.rows("digits", "test") == 355
    assert collection.cap("digits", "train") == 100


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ({"benchmrks": []}, r"unknown key `benchmrks`\. Did you mean .*benchmarks"),
        (
            {"extract": {"batchsize": 3}},
            r"unknown key `extract\.batchsize`\. Did you mean batch_siz",
        ),
        (digits(row={"test": 3}), r"unknown key `benchmarks\.0\.row`\. Did you mean rows"),
        (digits(rows={"tset": 3}), r"'digits', `rows`: unknown split 'tset'; it has train, test"),
        (
            digits(splits=["valid"]),
            r"'digits', `splits`: unknown split 'valid'; it has train, test",
        ),
        (digits(rows={"test": 0}), r"a cap is at least 1, found 0 for split 'test'"),
        (digits(rows={"test": -5}), r"a cap is at least 1, found -5 for split 'test'"),
        (digits(source={**HUB, "revision": "main"}), r"40 hex digits, not a branch or tag: 'main'"),
        ({"benchmarks": [{"name": "digits"}] * 2}, r"benchmark 'digits' is listed twice"),
        (
            {"models": {"set": "demo", "only": ["tf_efficientnet_lite0.in1"]}},
            rf"unknown model 'tf_efficientnet_lite0\.in1'.* set 'demo'\. Did you mean {LITE}",
        ),
        (
            {"models": {"set": "demo", "exclude": [{"model": "resnet18", "reason": "large"}]}},
            r"unknown model 'resnet18': it is not in the set 'demo'",
        ),
        (
            {"models": {"set": "demo", "exclude": [LITE]}},
            r"`models\.exclude\.0`: ",
        ),
        (
            {
                "models": {
                    "set": "demo",
                    "only": [LITE],
                    "exclude": [{"model": LITE, "reason": "all of them"}],
                }
            },
            r"no model is left after `models\.only`, `models\.where` and `models\.exclude`",
        ),
        (
            projection(models=["tf_efficientnet_lite0.in1"]),
            rf"figures\.projection: model '.*in1' is not in the collection\. Did you mean {LITE}",
        ),
        (
            {
                "models": {"set": "demo", "exclude": [{"model": LITE, "reason": "r"}]},
                **projection(),
            },
            rf"figures\.projection: model '{LITE}' is not in the collection",
        ),
        (projection(benchmark="mnist"), r"benchmark 'mnist' is not built \(digits\)"),
        (projection(split="valid"), r"split 'valid' is not built \(train, test\)"),
        (
            {**digits(splits=["train"]), **projection()},
            r"split 'test' is not built \(train\)",
        ),
        (comparison(benchmark="mnist"), r"comparison: benchmark 'mnist' is not built \(digits\)"),
        (comparison(fit="valid"), r"comparison: split 'valid' is not built \(train, test\)"),
        (comparison(models=[LITE, "resnet18"]), r"comparison: model 'resnet18' is not in"),
        (comparison(models=None), r"comparison: name `models` or `pairs` to compare"),
        (comparison(methods=["linaer"]), r"there is no method 'linaer' \(linear, parseval"),
        (comparison(pairs=[{"a": LITE, "b": LITE}]), r"'.*lite0.in1k' is paired with itself"),
        (comparison(pairs=[{"a": LITE, "b": OTHER}] * 2), r"a pair is listed twice"),
        (comparison(intervals="none"), r"`comparison\.intervals`: .*'pairs' or 'all'"),
        (comparison(components=[0, 5]), r"these are different numbers, each at least 1"),
        (projection(label="colour"), r"there is no label 'colour' \(label\)"),
        ({"models": {}}, r"`models`: give either `set` or `file`"),
    ],
)
def test_a_wrong_configuration_is_refused_by_key_and_value(update: dict, message: str):
    with pytest.raises(ConfigError, match=message) as caught:
        resolve(**update)
    assert str(caught.value).startswith("my.yaml: ")


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ({"benchmarks": [{"name": "digit"}]}, r"unknown benchmark 'digit'.* Did you mean digits\?"),
        ({"models": {"set": "demos"}}, r"unknown model set 'demos'.* Did you mean demo\?"),
    ],
)
def test_an_unknown_name_in_a_configuration_offers_near_ones(update: dict, message: str):
    with pytest.raises(CardError, match=message):
        resolve(**update)


@pytest.mark.parametrize("content", [None, [], "text", {}])
def test_something_else_than_a_configuration_is_refused(content: object):
    with pytest.raises(ConfigError, match=r"^my\.yaml: .*config/README\.md"):
        parse_config(content, "my.yaml")


def test_one_wrong_benchmark_is_not_told_as_there_being_none():
    with pytest.raises(ConfigError) as caught:
        resolve(**digits(rows={"test": 0}))
    assert "at least 1 item" not in str(caught.value)


def test_a_split_that_is_listed_twice_is_refused_or_built_once():
    try:
        targets = list(resolve(**digits(splits=["test", "test"])).targets())
    except ConfigError:
        return
    assert len(targets) == len(set(targets))


def test_a_card_of_ones_own_goes_by_its_own_name(tmp_path: Path):
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump(CONTENT))
    own = {"benchmarks": [{"name": "mine", "card": str(path)}]}
    assert list(resolve(**own).benchmarks) == ["mine"]
    other = {"benchmarks": [{"name": "yours", "card": str(path)}]}
    with pytest.raises(ConfigError, match=r"card\.yaml is the card of 'mine', not 'yours'"):
        resolve(**other)


def test_the_source_of_a_configuration_replaces_the_cards():
    local = {"kind": "folder", "path": "/data/digits"}
    assert resolve(**digits(source=local)).benchmarks["digits"].source.path == "/data/digits"


@settings(max_examples=30)
@given(st.text(alphabet="abcdef._0123456789", min_size=1, max_size=30), st.integers(1, 1024))
def test_the_block_of_a_model_depends_on_its_name_alone(model: str, blocks: int):
    analysis = {"blocks": blocks}
    whole = resolve(analysis=analysis)
    part = resolve(analysis=analysis, models={"set": "demo", "only": [LITE]})
    assert whole.block_of(model) == part.block_of(model)
    assert 0 <= whole.block_of(model) < blocks


def test_the_blocks_of_known_models_stay_where_they_are():
    """If this changes, every analysis is done anew."""
    collection = resolve(analysis={"blocks": 64})
    assert {model: collection.block_of(model) for model in collection.models} == {
        "tf_efficientnet_lite0.in1k": 38,
        "tf_efficientnet_lite1.in1k": 44,
        "tf_efficientnet_lite2.in1k": 17,
        "mobilenetv2_100.tonylins_in1k": 21,
        "tf_efficientnet_lite0.untrained_seed0": 43,
    }
    assert collection.blocks() == [17, 21, 38, 43, 44]
    assert collection.models_of(38) == ("tf_efficientnet_lite0.in1k",)
    assert collection.models_of(0) == ()
