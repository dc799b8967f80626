"""Capacity measured without weights equals what the network with weights is."""

from __future__ import annotations

import pytest
import torch

from semasia.compat import import_timm
from semasia.registry import EncoderCard
from semasia.registry.capacity import measure_capacity
from semasia.registry.configuration import configuration_of

timm = import_timm()

# One of each kind whose construction, forward pass or width is unusual.
SMALL = [
    "coat_tiny",
    "crossvit_9_240",
    "csatv2",
    "deit_tiny_distilled_patch16_224",
    "efficientvit_b0",
    "efficientvit_m0",
    "ghostnetv2_100",
    "hardcorenas_a",
    "hgnetv2_b0",
    "lcnet_050",
    "levit_128s",
    "mobilenetv3_small_050",
    "pit_ti_224",
    "regnetx_002",
    "repghostnet_050",
    "resnet18",
    "swinv2_cr_tiny_ns_224",
    "vit_base_patch32_siglip_256",
    "vit_tiny_r_s16_p8_224",
    "xcit_nano_12_p16_224",
]


def untrained(architecture: str) -> EncoderCard:
    return EncoderCard.model_validate(
        {
            "name": f"{architecture}.untrained",
            "architecture": architecture,
            "weights": {"source": "random", "seed": 0},
        }
    )


@pytest.mark.parametrize("architecture", SMALL)
def test_equals_the_network_itself(architecture: str) -> None:
    found = measure_capacity(untrained(architecture))
    whole = timm.create_model(architecture)
    assert found.num_parameters == sum(p.numel() for p in whole.parameters())
    bare = timm.create_model(architecture, num_classes=0).eval()
    with torch.no_grad():
        vector = bare(torch.zeros(1, *bare.pretrained_cfg["input_size"]))
    assert found.latent_dim == vector.shape[1]
    assert found.num_backbone_parameters is not None
    assert found.num_backbone_parameters <= found.num_parameters
    assert found.flops
    assert found.capacity_note is None


@pytest.mark.parametrize(
    ("architecture", "parameters", "width", "gigaflops"),
    [
        # Published multiply-adds, times two.
        ("resnet50", 25_557_032, 2048, 2 * 4.09),
        ("vit_base_patch16_224", 86_567_656, 768, 2 * 17.58),
        ("mobilenetv3_large_100", 5_483_032, 1280, 2 * 0.22),
        ("convnext_tiny", 28_589_128, 768, 2 * 4.47),
        ("efficientnet_b0", 5_288_548, 1280, 2 * 0.39),
    ],
)
def test_equals_published_figures(
    architecture: str, parameters: int, width: int, gigaflops: float
) -> None:
    found = measure_capacity(untrained(architecture))
    assert (found.num_parameters, found.latent_dim) == (parameters, width)
    assert found.flops == pytest.approx(gigaflops * 1e9, rel=0.05)


def test_classes_and_input_size_come_from_the_tag() -> None:
    few = measure_capacity(EncoderCard.of_timm("vit_tiny_patch16_224.augreg_in21k_ft_in1k"))
    many = measure_capacity(EncoderCard.of_timm("vit_tiny_patch16_224.augreg_in21k"))
    assert many.num_parameters - few.num_parameters == (21843 - 1000) * (192 + 1)
    assert many.num_backbone_parameters == few.num_backbone_parameters
    large = measure_capacity(EncoderCard.of_timm("resnet50.fb_swsl_ig1b_ft_in1k"))
    assert large.flops == measure_capacity(EncoderCard.of_timm("resnet50.tv_in1k")).flops


def test_networks_without_a_vector_are_null_with_a_reason() -> None:
    found = measure_capacity(EncoderCard.of_timm("qwen3_vit_88m_enc.qwen3_5_0_8b"))
    assert found.num_parameters
    assert found.latent_dim is None
    assert "does not support classification" in str(found.capacity_note)
    nothing = measure_capacity(untrained("no_such_network"))
    assert nothing.num_parameters is None
    assert "cannot be built" in str(nothing.capacity_note)
    assert "Unknown model" in str(nothing.capacity_note)


def test_configuration_is_what_timm_states() -> None:
    stated = configuration_of(EncoderCard.of_timm("vit_base_patch16_clip_224.openai"))
    assert stated["license"] == "mit" or stated["license"] == "apache-2.0"
    assert stated["hub_id"] == "timm/vit_base_patch16_clip_224.openai"
    assert stated["native_resolution"] == 224
    assert stated["gated"] is None
    unstated = configuration_of(untrained("levit_384"))
    assert unstated["native_resolution"] == 224
    assert unstated["hub_id"] is None
