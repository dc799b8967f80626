"""Rename the parameters of other implementations to timm's, one to one.

A conversion only renames: no tensor is changed, added or left out, and the result is loaded
strictly. Each takes the foreign state dict and timm's parameter names and returns the renamed dict.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from semasia.errors import WeightsError

StateDict = Mapping[str, Any]
Conversion = Callable[[StateDict, Iterable[str]], dict[str, Any]]

# Parts of an inverted-residual block in order of computation, as timm names them; a depthwise-
# separable block (the first) has no expansion.
_INVERTED = ("conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3")
_SEPARABLE = ("conv_dw", "bn1", "conv_pw", "bn2")


def efficientnet_pytorch(state: StateDict, target: Iterable[str]) -> dict[str, Any]:
    """EfficientNet-PyTorch (L. Melas-Kyriazi) to timm's EfficientNet."""
    outer = {
        "_conv_stem": "conv_stem",
        "_bn0": "bn1",
        "_conv_head": "conv_head",
        "_bn1": "bn2",
        "_fc": "classifier",
    }
    inverted = ("_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2")
    separable = ("_depthwise_conv", "_bn1", "_project_conv", "_bn2")
    blocks = _blocks(target)

    def rename(name: str) -> str:
        match = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
        if match is None:
            module, _, rest = name.partition(".")
            return f"{outer[module]}.{rest}"
        prefix, is_separable = blocks[int(match[1])]
        parts: dict[str, str] = dict(
            zip(separable, _SEPARABLE, strict=True)
            if is_separable
            else zip(inverted, _INVERTED, strict=True)
        )
        return f"{prefix}.{parts[match[2]]}.{match[3]}"

    return _renamed(state, rename, "efficientnet_pytorch")


def mobilenetv2_tonylins(state: StateDict, target: Iterable[str]) -> dict[str, Any]:
    """MobileNetV2 of J. Lin's and torchvision's layout (without classifier) to timm's."""
    blocks = _blocks(target)
    outer = {
        "features.0.0": "conv_stem",
        "features.0.1": "bn1",
        f"features.{len(blocks) + 1}.0": "conv_head",
        f"features.{len(blocks) + 1}.1": "bn2",
    }

    def rename(name: str) -> str:
        match = re.fullmatch(r"features\.(\d+)\.conv\.(\d+)\.(\w+)", name)
        if match is None:
            module, _, rest = name.rpartition(".")
            return f"{outer[module]}.{rest}"
        prefix, is_separable = blocks[int(match[1]) - 1]
        # Positions 2 and 5 of the sequence are activations, which hold no parameters.
        parts: dict[int, str] = dict(
            zip((0, 1, 3, 4), _SEPARABLE, strict=True)
            if is_separable
            else zip((0, 1, 3, 4, 6, 7), _INVERTED, strict=True)
        )
        return f"{prefix}.{parts[int(match[2])]}.{match[3]}"

    return _renamed(state, rename, "mobilenetv2_tonylins")


CONVERSIONS: dict[str, Conversion] = {
    "efficientnet_pytorch": efficientnet_pytorch,
    "mobilenetv2_tonylins": mobilenetv2_tonylins,
}


def _blocks(target: Iterable[str]) -> list[tuple[str, bool]]:
    """Return timm's blocks in order: (prefix, whether depthwise-separable)."""
    names = list(target)
    prefixes = {m[0]: (int(m[1]), int(m[2])) for n in names if (m := _BLOCK.match(n))}
    ordered = sorted(prefixes, key=prefixes.__getitem__)
    return [(p, f"{p}.conv_pwl.weight" not in names) for p in ordered]


_BLOCK = re.compile(r"blocks\.(\d+)\.(\d+)")


def _renamed(state: StateDict, rename: Callable[[str], str], conversion: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, tensor in state.items():
        try:
            new = rename(name)
        except (KeyError, IndexError):
            raise WeightsError(
                f"conversion {conversion!r}: unexpected parameter {name!r} in the checkpoint."
            ) from None
        if new in result:
            raise WeightsError(f"conversion {conversion!r}: two parameters become {new!r}.")
        result[new] = tensor
    return result
