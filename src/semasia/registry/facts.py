"""What is known of a model without its weights: size, latent width, preprocessing, licence."""

from __future__ import annotations

from typing import Any

from semasia.compat import import_timm
from semasia.errors import WeightsError
from semasia.registry.cards import EncoderCard

COLUMNS: dict[str, type] = {
    "model_name": str,
    "architecture": str,
    "untrained": bool,
    "weights_source": str,
    "license": str,
    "num_parameters": int,
    "latent_dim": int,
    "input_resolution": int,
    "interpolation": str,
    "crop_pct": float,
    "crop_mode": str,
    "mean": str,
    "std": str,
    "notes": str,
}


def model_facts(card: EncoderCard) -> dict[str, Any]:
    """Return a card's row of the registry table; the keys are those of :data:`COLUMNS`.

    The network is built without weights: on torch's meta device, or in memory for the few
    architectures whose construction computes with values.

    Raises
    ------
    WeightsError
        If timm cannot build the architecture.
    """
    import torch

    timm = import_timm()
    try:
        try:
            with torch.device("meta"):
                network = timm.create_model(card.architecture, **card.architecture_args)
        except NotImplementedError:
            network = timm.create_model(card.architecture, **card.architecture_args)
    except Exception as error:
        raise WeightsError(
            f"{card.name}: timm {timm.__version__} cannot build {card.architecture!r}: {error}"
        ) from error
    overrides = {k: v for k, v in card.data_config.model_dump().items() if v is not None}
    config = timm.data.resolve_data_config(overrides, model=network)
    return {
        "model_name": card.name,
        "architecture": card.architecture,
        "untrained": card.is_control,
        "weights_source": card.weights.source,
        "license": card.license or network.pretrained_cfg.get("license") or "unstated",
        "num_parameters": sum(p.numel() for p in network.parameters()),
        "latent_dim": int(network.head_hidden_size),
        "input_resolution": config["input_size"][-1],
        "interpolation": config["interpolation"],
        "crop_pct": config["crop_pct"],
        "crop_mode": config["crop_mode"],
        "mean": ", ".join(f"{v:g}" for v in config["mean"]),
        "std": ", ".join(f"{v:g}" for v in config["std"]),
        "notes": card.notes,
    }
