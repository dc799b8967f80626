"""timm networks as encoders: their own preprocessing, their own pre-head vector."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from semasia.compat import import_timm
from semasia.encoders.memory import is_out_of_memory
from semasia.encoders.precision import Precision
from semasia.encoders.preprocessing import (
    DevicePreprocessing,
    Preprocessing,
    ReferencePreprocessing,
)
from semasia.encoders.weights import build_network
from semasia.errors import EncoderError, first_line
from semasia.registry import EncoderCard

# More than a transformer's patch embedding or stem.
_MANY_CONVOLUTIONS = 8


class TimmEncoder:
    """A timm network cut before its head: ``forward_head(forward_features(x), pre_logits=True)``.

    Parameters
    ----------
    card : EncoderCard
    device : str
        A torch device, or ``auto`` for the first accelerator if there is one.
    preprocess : str
        ``reference``: timm's evaluation transform, unchanged, image by image. ``device``: the same
        pixels, bit for bit, by batches
        (:class:`~semasia.encoders.preprocessing.DevicePreprocessing`).
    precision : str
        ``float32``, ``tf32``, ``bfloat16`` or ``float16``.

    Raises
    ------
    WeightsError
        If the network cannot be built or its weights cannot be loaded.
    EncoderError
        If this machine has not the device, or the device not the precision, that is asked for; or
        the weights do not fit into its memory.
    """

    def __init__(
        self,
        card: EncoderCard,
        device: str = "auto",
        *,
        preprocess: str = "reference",
        precision: str = "float32",
    ) -> None:
        timm = import_timm()
        self.device = _device(device, card.name)
        self.precision = Precision(precision, self.device)
        network, self._origin = build_network(card)
        described: Any = network
        overrides = {k: v for k, v in card.data_config.model_dump().items() if v is not None}
        if "mean" in overrides or "std" in overrides:  # timm takes a network for one of 3 channels
            overrides.setdefault("input_size", described.pretrained_cfg.get("input_size"))
        config = timm.data.resolve_data_config(overrides, model=described)
        self.name = card.name
        self.card = card
        self.data_config: dict[str, Any] = {k: _plain(v) for k, v in sorted(config.items())}
        self.width = self._width(described)
        self.license = card.license or described.pretrained_cfg.get("license") or "unstated"
        kind = DevicePreprocessing if preprocess == "device" else ReferencePreprocessing
        try:
            self.preprocessing: Preprocessing = kind(config)
        except EncoderError as error:
            raise EncoderError(
                f"{card.name}: {error}. See `data_config` in its card, or in its `config.json`."
            ) from None
        self._network = self._moved(_PreLogits(network))
        self._run: Any = self._network

    def _width(self, network: Any) -> int:
        try:
            return int(network.head_hidden_size)
        except (AttributeError, TypeError, ValueError) as error:
            raise EncoderError(
                f"{self.name}: {self.card.architecture!r} with `architecture_args` "
                f"{self.card.architecture_args} has no vector before a head: {first_line(error)}"
            ) from error

    def _moved(self, module: Any) -> nn.Module:
        try:
            return module.to(self.device, memory_format=torch.channels_last)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raise EncoderError(
                f"{self.name}: the network's weights do not fit into the memory of {self.device} "
                f"({first_line(error, 200)}). Is another process on the device? Give the job more "
                "memory, or exclude the model."
            ) from error

    def takes_pixels(self, shape: tuple[int, ...]) -> bool:
        """Whether raw (h, w) or (h, w, 3) pixels of this shape are best resized as batches."""
        return self.preprocessing.takes_pixels(shape, self.device)

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """Do the host's part of preprocessing for one image."""
        return self.preprocessing.load(image)

    @torch.inference_mode()
    def finish(self, batch: torch.Tensor) -> torch.Tensor:
        """Return a (b, c, H, W) float32 batch on the device, channels last in memory."""
        inputs = self.preprocessing.finish(batch.to(self.device, non_blocking=True))
        return inputs.contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return (b, width) float32 pre-head vectors of (b, c, H, W) inputs, on the device.

        Raises
        ------
        EncoderError
            If the network returns anything else, or cannot run. Running out of memory passes as it
            is.
        """
        try:
            with self.precision.applied():
                latents = self._run(inputs)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            raise EncoderError(
                f"{self.name}: the network cannot run on a batch of {tuple(inputs.shape)} "
                f"({type(error).__name__}: {str(error).strip()[:200]}). Do `data_config` and "
                f"`architecture_args` {self.card.architecture_args} of its card fit "
                f"{self.card.architecture!r}?"
            ) from error
        if not torch.is_tensor(latents) or latents.shape != (len(inputs), self.width):
            found = tuple(latents.shape) if torch.is_tensor(latents) else type(latents).__name__
            raise EncoderError(
                f"{self.name}: the network gave {found} for {len(inputs)} images; one vector of "
                f"{self.width} each was expected. Exclude the model and report it."
            )
        return latents.float()

    def encode(self, batch: torch.Tensor) -> np.ndarray:
        """Return (b, width) float32 pre-head vectors of a host batch."""
        return self.forward(self.finish(batch)).cpu().numpy()

    def repays_compiling(self) -> bool:
        """Whether compiling makes the network faster on a processor: networks of convolutions.

        The time of transformers goes into products of matrices, which compiling leaves as they are.
        """
        convolutions = sum(isinstance(m, nn.Conv2d) for m in self._network.modules())
        return convolutions >= _MANY_CONVOLUTIONS

    def compile(self, engine: str) -> None:
        """Choose how :meth:`forward` runs; ``inductor`` compiles at its first call."""
        if engine == "inductor":
            from semasia.encoders.compilation import compiled

            self._run = compiled(self._network)
        else:
            self._run = self._network

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
            "preprocessing": {
                "backend": self.preprocessing.backend,
                **({"image_mode": "L"} if self.preprocessing.mode == "L" else {}),
                **self.data_config,
            },
            "numerics": {
                "stored": "float32",
                "compute": self.precision.name,
                "device": self.device.type,
                "memory_format": "channels_last",
            },
        }


class _PreLogits(nn.Module):
    """The network up to the vector that its head would classify."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network: Any = network

    def forward(self, images: torch.Tensor) -> Any:
        features = self.network.forward_features(images)
        return self.network.forward_head(features, pre_logits=True)


def _device(wanted: str, name: str) -> torch.device:
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise EncoderError(
            f"{name}: the configuration asks for `extract.device: cuda`, but torch "
            f"{torch.__version__} sees no accelerator on this machine."
        )
    return torch.device(wanted)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
