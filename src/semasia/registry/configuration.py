"""What timm's own configuration states of a checkpoint."""

from __future__ import annotations

from typing import Any

from semasia.compat import import_timm
from semasia.registry.cards import EncoderCard, HubWeights
from semasia.registry.folder import folder_config


def configuration_of(card: EncoderCard) -> dict[str, Any]:
    """Return licence, origin and preprocessing of a card, as timm states them.

    Values that the card gives take the place of timm's. ``gated`` is always None: timm does not
    state it. Nothing is built and nothing is fetched.
    """
    timm = import_timm()
    stated = timm.get_pretrained_cfg(card.architecture, allow_unregistered=True)
    known: dict[str, Any] = stated.to_dict() if stated is not None else {}
    if (folder := folder_config(card)) is not None:
        known = timm.models.PretrainedCfg(**folder.pretrained_cfg).to_dict()
    known.update({k: v for k, v in card.data_config.model_dump().items() if v is not None})
    size = known.get("input_size")
    from_hub = isinstance(card.weights, HubWeights)
    return {
        "license": card.license or known.get("license") or "unstated",
        "hub_id": (known.get("hf_hub_id") or None) if from_hub else None,
        "weights_url": (known.get("url") or None) if from_hub else None,
        "gated": None,
        "native_resolution": size[-1] if size else None,
        "interpolation": known.get("interpolation"),
        "crop_pct": known.get("crop_pct"),
        "crop_mode": known.get("crop_mode"),
        "mean": _numbers(known.get("mean")),
        "std": _numbers(known.get("std")),
        "num_classes": known.get("num_classes"),
    }


def _numbers(values: Any) -> str | None:
    return ", ".join(f"{v:g}" for v in values) if values else None
