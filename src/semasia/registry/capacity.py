"""Size, latent width and operations of a network, without its weights.

Networks are built with every parameter on torch's meta device, which has shapes and no memory: each
parameter is sent there as it is registered, so that constructors that compute with values (RegNet's
widths, CSATv2's filters) still can. The forward pass then runs on shapes alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from semasia.compat import import_timm
from semasia.registry.cards import EncoderCard


@dataclass(frozen=True)
class Capacity:
    """What building a network tells.

    Attributes
    ----------
    num_parameters : int or None
        Of the whole model, with the head it was published with.
    num_backbone_parameters : int or None
        Without the classifier.
    latent_dim : int or None
        Width of the stored vector, from a forward pass.
    flops : int or None
        Of the forward pass to the stored vector on one image at the native size; a multiply and an
        add count as two. Convolutions, matrix products and attention are counted.
    capacity_note : str or None
        Why a value is None.
    """

    num_parameters: int | None = None
    num_backbone_parameters: int | None = None
    latent_dim: int | None = None
    flops: int | None = None
    capacity_note: str | None = None


def measure_capacity(card: EncoderCard) -> Capacity:
    """Build a card's network on the meta device and measure it.

    Never raises for a network that cannot be built or run: the values are None and the note says
    why, in one line.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    try:
        network = _build(card).to("meta").eval().requires_grad_(False)
    except Exception as error:
        return Capacity(capacity_note=f"cannot be built: {_line(error)}")
    parameters = _count(network)
    try:
        size = card.data_config.input_size or network.pretrained_cfg["input_size"]
        images = torch.empty(1, *size, device="meta")
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            latents = network.forward_head(network.forward_features(images), pre_logits=True)
        if not torch.is_tensor(latents) or latents.ndim != 2 or len(latents) != 1:
            shape = tuple(latents.shape) if torch.is_tensor(latents) else type(latents).__name__
            return Capacity(parameters, capacity_note=f"no vector per image: {shape}")
        width, flops = int(latents.shape[1]), int(counter.get_total_flops())
    except Exception as error:
        return Capacity(parameters, capacity_note=f"gives no vector before a head: {_line(error)}")
    try:
        network.reset_classifier(0)
        backbone = _count(network)
    except Exception as error:
        note = f"its head cannot be taken off: {_line(error)}"
        return Capacity(parameters, None, width, flops, note)
    return Capacity(parameters, backbone, width, flops)


def _build(card: EncoderCard) -> Any:
    """Build a network with as little memory as its constructor allows."""
    import torch

    timm = import_timm()
    ways = (parameters_on_meta, lambda: torch.device("meta"), contextlib.nullcontext)
    for last, way in enumerate(ways, 1):
        try:
            with way():
                return timm.create_model(card.architecture, **card.architecture_args)
        except (NotImplementedError, RuntimeError):
            # Some constructors copy values between parameters, or trace a part of the network.
            if last == len(ways):
                raise
    raise AssertionError


@contextlib.contextmanager
def parameters_on_meta() -> Iterator[None]:
    """Send every parameter to the meta device as a module registers it."""
    from torch import nn

    original = nn.Module.register_parameter

    def register(self: Any, name: str, param: Any) -> None:
        if type(param) is nn.Parameter and param.device.type != "meta":
            param = nn.Parameter(param.data.to("meta"), requires_grad=param.requires_grad)
        original(self, name, param)

    nn.Module.register_parameter = register
    try:
        yield
    finally:
        nn.Module.register_parameter = original


def _count(network: Any) -> int:
    return sum(p.numel() for p in network.parameters())


def _line(error: Exception) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0][:160] if text else 'no message'}"
