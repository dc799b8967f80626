"""Identifiers are read without a remainder, and a vocabulary that contradicts itself is refused."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semasia.errors import CardError, SemasiaError
from semasia.registry.grammar import ParsedIdentifier, explain, parse_identifier
from semasia.registry.location import registry_folder
from semasia.registry.vocabulary import default_vocabulary, load_vocabulary

FILE = registry_folder() / "models" / "timm-1.0.31.txt"
NAMES = [n for n in FILE.read_text(encoding="utf-8").splitlines() if n and not n.startswith("#")]
MACRO = {
    "Convolutional",
    "Vision Transformer",
    "Hybrid CNN–Transformer",
    "Hierarchical Vision Transformer",
    "MetaFormer",
    "Other",
}


@pytest.fixture(scope="module")
def parsed() -> dict[str, ParsedIdentifier]:
    """Every identifier that timm lists; an exception fails all tests of this module."""
    return {name: parse_identifier(name) for name in NAMES}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the vocabularies to change."""
    return Path(shutil.copytree(registry_folder() / "vocabulary", tmp_path / "vocabulary"))


def test_all_identifiers_have_a_family(parsed: dict[str, ParsedIdentifier]) -> None:
    assert len(parsed) == 1826
    assert [n for n, p in parsed.items() if p.family in ("", "unknown")] == []
    assert {p.macro_family for p in parsed.values()} == MACRO


def test_hardly_a_token_is_left_over(parsed: dict[str, ParsedIdentifier]) -> None:
    left = {n: p.unparsed for n, p in parsed.items() if p.unparsed}
    assert len(left) <= 0.01 * len(parsed), left
    # Tokens whose meaning nothing public states; another one is a gap in the vocabularies.
    assert set(left.values()) <= {"pd"}


def test_columns_have_their_types(parsed: dict[str, ParsedIdentifier]) -> None:
    for name, row in parsed.items():
        for field in dataclasses.fields(row):
            value = getattr(row, field.name)
            kinds = {"int": int, "str": str, "boo": bool}
            expected = kinds[str(field.type)[:3]]
            optional = "None" in str(field.type)
            assert type(value) is expected or (value is None and optional), (name, field.name)
        assert row.is_gap == (row.head_type == "GAP")
        assert row.uses_quickgelu == (row.activation == "QuickGELU")


def test_morphemes_join_to_the_identifier() -> None:
    for name in NAMES:
        pieces = explain(name)
        joined = "".join(text for text, _ in pieces).replace("_", "")
        assert joined == name.replace(".", "").replace("_", ""), pieces
        assert all(field for _, field in pieces), pieces


def test_unparsed_is_what_explain_says() -> None:
    for name in [*NAMES[::50], "resnet50_strange.a1_new_in1k", "nothing_of_this.kind"]:
        left = " ".join(text for text, field in explain(name) if field == "unparsed")
        assert parse_identifier(name).unparsed == left


@pytest.mark.parametrize(
    ("name", "width"),
    [
        ("levit_384.fb_dist_in1k", "384"),
        ("levit_conv_128s.fb_dist_in1k", "128s"),
        ("regnetx_160.pycls_in1k", "160"),
        ("regnety_1280.swag_ft_in1k", "1280"),
        ("mobilevitv2_200.cvnets_in1k", "200"),
        ("mobilenetv3_large_100.ra_in1k", "100"),
        ("rexnet_150.nav_in1k", "150"),
        ("convmixer_768_32.in1k", "768"),
        ("lcnet_075.ra2_in1k", "075"),
        ("ghostnet_100.in1k", "100"),
    ],
)
def test_a_width_is_no_resolution(name: str, width: str) -> None:
    row = parse_identifier(name)
    assert (row.width_code, row.input_resolution) == (width, None)
    assert parse_identifier(name, config_resolution=224).input_resolution == 224


EXAMPLES = {
    "seresnextaa101d_32x8d.sw_in12k_ft_in1k_288": {
        "family": "ResNeXt",
        "model_version": "SE D",
        "uses_aa": True,
        "depth_code": "101",
        "width_code": "32x8d",
        "pretrain_dataset": "ImageNet-12K",
        "pretrain_ft": "ImageNet-1K",
        "pretrain_ft_resolution": 288,
        "pretrain_resolution": None,
        "pretrain_aug": "SW",
    },
    "vit_so400m_patch14_siglip_gap_378.v2_webli": {
        "family": "ViT",
        "size": "SO400M",
        "patch_size": 14,
        "input_resolution": 378,
        "head_type": "GAP",
        "is_gap": True,
        "pretrain_org": "Google",
        "pretrain_dataset": "WebLI",
        "pretrain_method": "SigLIP 2",
    },
    "vit_large_patch14_clip_quickgelu_224.dfn2b": {
        "activation": "QuickGELU",
        "uses_quickgelu": True,
        "pretrain_method": "CLIP",
        "pretrain_dataset": "DFN-2B",
    },
    "vit_base_patch16_dinov3_qkvb.eupe_lvd1689m": {
        "model_version": "DINOv3 QKVB",
        "pretrain_method": "EUPE",
        "pretrain_org": "Meta",
    },
    "vit_base_patch32_clip_224.laion2b_ft_in12k_in1k": {
        "pretrain_org": "LAION",
        "pretrain_dataset": "LAION-2B",
        "pretrain_ft": "ImageNet-12K + ImageNet-1K",
    },
    "vit_base_patch16_clip_224.metaclip_2pt5b": {
        "pretrain_dataset": "MetaCLIP",
        "pretrain_dataset_size": "2.5B",
    },
    "eva02_enormous_patch14_clip_224.laion2b": {"pretrain_org": "BAAI", "model_version": "v2 CLIP"},
    "deit3_small_patch16_384.fb_in22k_ft_in1k": {"family": "DeiT", "model_version": "v3"},
    "deit_base_distilled_patch16_384.fb_in1k": {"is_distilled": True, "model_version": None},
    "swinv2_base_window12to24_192to384.ms_in22k_ft_in1k": {
        "window_size": 24,
        "input_resolution": 384,
        "pretrain_resolution": 192,
    },
    "swinv2_cr_small_ns_224.sw_in1k": {"uses_cr": True, "uses_ns": True, "size": "Small"},
    "efficientvit_b0.r224_in1k": {"model_version": "MIT", "pretrain_resolution": 224},
    "efficientvit_m0.r224_in1k": {"model_version": "MSRA", "size": "M0"},
    "coatnet_rmlp_2_rw_384.sw_in12k_ft_in1k": {"size": "2", "uses_rmlp": True, "uses_rw": True},
    "cait_xxs24_384.fb_dist_in1k": {"size": "XXS24", "stride_code": "xxs24", "is_distilled": True},
    "xcit_small_12_p8_224.fb_in1k": {"depth_code": "12", "patch_size": 8, "input_resolution": 224},
    "hiera_small_abswin_256.sbb2_e200_in12k": {"uses_abswin": True, "pretrain_epochs": 200},
    "mobilenetv4_conv_aa_large.e230_r448_in12k_ft_in1k": {
        "macro_family": "Convolutional",
        "pretrain_ft_resolution": 448,
    },
    "mobilenetv4_hybrid_large.e600_r384_in1k": {"macro_family": "Hybrid CNN–Transformer"},
    "vit_base_r50_s16_224.orig_in21k": {
        "macro_family": "Hybrid CNN–Transformer",
        "stride_code": "s16",
    },
    "sam2_hiera_large.fb_r1024_2pt1": {"family": "Hiera", "pretrain_tokens": "2.1"},
    "vit_pe_lang_large_patch14_448.fb": {"pe_scope": "Lang", "pretrain_org": "Meta"},
    "vit_base_patch16_siglip_256.webli_i18n": {"pretrain_i18n": True, "pretrain_method": "SigLIP"},
    "tf_efficientnet_b7.ns_jft_in1k": {
        "size": "B7",
        "pretrain_org": "Google",
        "pretrain_aug": "NoisyStudent",
        "pretrain_dataset": "JFT-300M + ImageNet-1K",
    },
    "vit_base_patch16_224.augreg_in21k_ft_in1k": {
        "pretrain_method": "AugReg",
        "pretrain_aug": "AugReg",
    },
    "legacy_seresnet18.in1k": {"is_legacy": True, "family": "ResNet", "model_version": "SE"},
    "ecaresnet50d_pruned.miil_in1k": {"is_pruned": True, "model_version": "ECA D"},
    "resnet33ts.ra2_in1k": {"uses_ts": True, "depth_code": "33"},
    "test_vit": {"family": "ViT", "model_version": "Test", "pretrain_config": None},
    "nasnetalarge.tf_in1k": {"family": "NASNet", "size": "Large", "pretrain_org": "Google"},
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name: str) -> None:
    row = dataclasses.asdict(parse_identifier(name))
    assert {key: row[key] for key in EXAMPLES[name]} == EXAMPLES[name]
    assert row["unparsed"] == ""


def test_only_the_first_dot_separates() -> None:
    row = parse_identifier("resnet50.a1.in1k")
    assert (row.family, row.pretrain_config) == ("ResNet", "a1.in1k")
    assert row.unparsed == "a1.in1k"


def test_the_configuration_wins() -> None:
    name = "vit_base_patch16_224.augreg_in1k"
    assert parse_identifier(name).input_resolution == 224
    assert parse_identifier(name, config_resolution=256).input_resolution == 256


def test_an_unknown_stem_is_no_error() -> None:
    row = parse_identifier("frobnicator_large_7.in1k")
    assert (row.family, row.macro_family) == ("unknown", "Other")
    assert (row.unparsed, row.pretrain_dataset) == ("frobnicator large 7", "ImageNet-1K")


def test_an_unknown_token_is_kept() -> None:
    assert parse_identifier("resnet50_zzz.a1_in1k").unparsed == "zzz"
    # A field holds one value: the second depth means something else.
    assert parse_identifier("resnet50_77.a1_in1k").unparsed == "77"
    # A stem inside a longer word is no stem.
    assert parse_identifier("resnetzilla50").family == "unknown"


@pytest.mark.parametrize(
    "name", ["", ".in1k", "a/b", "a\\b", "vit base", "vít", "x" * 201, "-a", "a\n"]
)
def test_what_is_no_identifier_is_refused(name: str) -> None:
    with pytest.raises(CardError, match="cannot be a model identifier") as caught:
        parse_identifier(name)
    assert repr(name[:20])[:-1] in str(caught.value)
    assert len(str(caught.value)) < 250


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=220))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(SemasiaError):
        parse_identifier(text)


TOKENS = sorted({t for n in NAMES for t in n.replace(".", "_").split("_")})


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=8), st.integers(0, 8))
def test_any_mixture_of_tokens_is_accounted_for(tokens: list[str], dot: int) -> None:
    name = "_".join(tokens[:dot]) + ("." if 0 < dot < len(tokens) else "") + "_".join(tokens[dot:])
    joined = "".join(text for text, _ in explain(name)).replace("_", "")
    assert joined == "".join(tokens)
    assert parse_identifier(name).macro_family in MACRO


@pytest.mark.parametrize(
    "name", ["1" * 200, "resnet" * 33, "se" * 100, "resnet50" + "d" * 190, "_" * 200]
)
def test_long_names_end(name: str) -> None:
    assert parse_identifier(name).model_name == name


def test_a_new_family_is_an_entry(folder: Path) -> None:
    name = "wavenext_b3_se.in1k"
    assert parse_identifier(name, load_vocabulary(folder)).family == "unknown"
    with (folder / "families.yaml").open("a", encoding="utf-8") as file:
        file.write(
            "  - stem: wavenext\n    family: WaveNeXt\n    macro_family: Other\n"
            "    reason: Wavelets only\n    uses: [size_codes]\n"
            "    tokens: {se: {feeds: {variant: SE}, meaning: As ever, source: a paper}}\n"
            "    meaning: An invention\n    source: this test\n"
        )
    row = parse_identifier(name, load_vocabulary(folder))
    assert (row.family, row.macro_family, row.size) == ("WaveNeXt", "Other", "B3")
    assert (row.model_version, row.unparsed) == ("SE", "")


def changed(folder: Path, file: str, old: str, new: str) -> str:
    """Change a vocabulary and return the message it is refused with."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CardError) as caught:
        load_vocabulary(folder)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_token_twice_in_a_file(folder: Path) -> None:
    entry = "  fb: {feeds: {pretrain_org: Other}, meaning: Another, source: nowhere}\n"
    message = changed(folder, "organisations.yaml", "  goog:", entry + "  goog:")
    assert "'fb' is defined twice, in lines 3 and 4" in message


def test_a_token_in_two_files(folder: Path) -> None:
    entry = "  fb: {feeds: {pretrain_method: FB}, meaning: Another, source: nowhere}\n"
    message = changed(folder, "methods.yaml", "  clip:", entry + "  clip:")
    assert "tag token 'fb' is already defined in organisations.yaml" in message
    assert "Facebook AI Research" in message


def test_an_unknown_macro_family(folder: Path) -> None:
    message = changed(
        folder, "families.yaml", "macro_family: MetaFormer", "macro_family: MetaFromer"
    )
    assert "macro-family 'MetaFromer' is none of Convolutional, Vision Transformer" in message


def test_other_needs_a_reason(folder: Path) -> None:
    message = changed(folder, "families.yaml", 'reason: "Multilayer perceptrons only", ', "")
    assert "stem 'mixer': macro-family `Other`, and no other, has a reason" in message


def test_an_unknown_field(folder: Path) -> None:
    message = changed(folder, "organisations.yaml", "pretrain_org: Meta", "pretrain_organ: Meta")
    assert "'pretrain_organ' is no field; the fields are" in message


def test_an_unknown_group(folder: Path) -> None:
    message = changed(folder, "families.yaml", "uses: [sizes]", "uses: [size]")
    assert "names the group 'size', which architecture.yaml does not define." in message
    assert "Did you mean sizes" in message


def test_an_unknown_key(folder: Path) -> None:
    message = changed(folder, "families.yaml", "prefixes: [before]", "prefixs: [before]")
    assert "unknown key" in message and "prefixes" in message


def test_a_capture_that_is_not_there(folder: Path) -> None:
    message = changed(folder, "architecture.yaml", 'patch_size: "{1}"', 'patch_size: "{2}"')
    assert "token 'patch{n}' has 1 captures, but '{2}' uses [2]" in message


def test_a_number_field_needs_a_number(folder: Path) -> None:
    message = changed(folder, "architecture.yaml", 'patch_size: "{1}"', "patch_size: small")
    assert "'small' is not a value for the whole number 'patch_size'" in message


def test_a_missing_file(folder: Path) -> None:
    (folder / "methods.yaml").unlink()
    with pytest.raises(CardError, match="there is no such file"):
        load_vocabulary(folder)


def test_a_missing_registry(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="there is no registry here"):
        registry_folder(tmp_path)


def test_the_vocabulary_is_read_once() -> None:
    assert default_vocabulary() is default_vocabulary()


def test_every_entry_is_used() -> None:
    """A stem without a name in timm's list would be a guess."""
    stems = {f.stem for f in default_vocabulary().families}
    assert {s for s in stems if not any(s in n for n in NAMES)} == set()
