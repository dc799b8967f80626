"""timm networks as encoders: their own preprocessing, their own pre-head vector."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from semasia.compat import import_timm
from semasia.encoders.weights import build_network
from semasia.errors import EncoderError
from semasia.registry import EncoderCard


class TimmEncoder:
    """A timm network cut before its head: ``forward_head(forward_features(x), pre_logits=True)``.

    Preprocessing is the evaluation transform that timm resolves for the network, unchanged, on the
    image converted to RGB (Semasia, Section 2.4).

    Parameters
    ----------
    card : EncoderCard
    device : str
        A torch device, or ``auto`` for the first accelerator if there is one.

    Raises
    ------
    WeightsError
        If the network cannot be built or its weights cannot be loaded.
    """

    def __init__(self, card: EncoderCard, device: str = "auto") -> None:
        timm = import_timm()
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        elif device.startswith("cuda") and not torch.cuda.is_available():
            raise EncoderError(
                f"{card.name}: the configuration asks for `extract.device: cuda`, but torch "
                f"{torch.__version__} sees no accelerator on this machine."
            )
        # Full float32 everywhere: TF32 would change values by about 1e-3.
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = False
        network: Any
        network, self._origin = build_network(card)
        overrides = {k: v for k, v in card.data_config.model_dump().items() if v is not None}
        config = timm.data.resolve_data_config(overrides, model=network)
        self.name = card.name
        self.card = card
        self.device = torch.device(device)
        self.data_config: dict[str, Any] = {k: _plain(v) for k, v in sorted(config.items())}
        self.width = int(network.head_hidden_size)
        self.license = card.license or network.pretrained_cfg.get("license") or "unstated"
        self._transform = timm.data.create_transform(**config, is_training=False)
        self._network: Any = network.to(self.device, memory_format=torch.channels_last)

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """Apply timm's transform to one image; (3, H, W) float32."""
        return self._transform(image.convert("RGB"))

    @torch.inference_mode()
    def encode(self, batch: torch.Tensor) -> np.ndarray:
        """Return (b, width) float32 pre-head vectors of a (b, 3, H, W) batch.

        Raises
        ------
        EncoderError
            If the network returns anything else.
        """
        images = batch.to(self.device, memory_format=torch.channels_last, non_blocking=True)
        try:
            features = self._network.forward_features(images)
            latents = self._network.forward_head(features, pre_logits=True)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:
            raise EncoderError(
                f"{self.name}: the network cannot run on a batch of {tuple(batch.shape)} "
                f"({type(error).__name__}: {str(error).strip()[:200]}). Does its input size fit "
                "`data_config` and `architecture_args` in its card?"
            ) from error
        if not torch.is_tensor(latents) or latents.shape != (len(batch), self.width):
            found = tuple(latents.shape) if torch.is_tensor(latents) else type(latents).__name__
            raise EncoderError(
                f"{self.name}: the network gave {found} for {len(batch)} images; one vector of "
                f"{self.width} each was expected. Exclude the model and report it."
            )
        return latents.float().cpu().numpy()

    def describe(self) -> dict[str, Any]:
        """Return the sections ``encoder``, ``preprocessing`` and ``numerics`` of provenance."""
        return {
            "encoder": {
                "model_name": self.name,
                "architecture": self.card.architecture,
                "architecture_args": self.card.architecture_args,
                "weights": self._origin,
                "license": self.license,
                "width": self.width,
                "untrained": self.card.is_control,
            },
            "preprocessing": {"backend": "reference", **self.data_config},
            "numerics": {
                "stored": "float32",
                "compute": "float32",
                "device": self.device.type,
                "memory_format": "channels_last",
                "engine": "eager",
            },
        }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
