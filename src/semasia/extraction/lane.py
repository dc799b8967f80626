"""Run batches through an encoder, on an accelerator without waiting for each."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator

import numpy as np
import torch

from semasia.encoders import Encoder
from semasia.encoders.memory import is_out_of_memory
from semasia.errors import EncoderError, first_line
from semasia.extraction.timings import Timings

_logger = logging.getLogger(__name__)

# Results under way from an accelerator while it works on the next batch.
_UNDER_WAY = 2


class Lane:
    """Feeds an encoder and collects its vectors, in order.

    Parameters
    ----------
    encoder : Encoder
    batch_size : int
        Images per forward pass to begin with.
    smaller : callable
        Told the new number of images per forward pass when memory ran out.
    timings : Timings
        ``preprocess`` and ``forward`` are added up here.
    """

    def __init__(
        self, encoder: Encoder, batch_size: int, smaller: Callable[[int], None], timings: Timings
    ) -> None:
        self._encoder = encoder
        self._size = batch_size
        self._smaller = smaller
        self._timings = timings
        self._queue: deque[_Result] = deque()
        self._depth = _UNDER_WAY if encoder.device.type == "cuda" else 0

    def put(self, batch: torch.Tensor) -> Iterator[np.ndarray]:
        """Compute a host batch; yield the (b, width) float32 latents that are there by now."""
        self._queue.append(self._computed(batch))
        while len(self._queue) > self._depth:
            yield self._collected()

    def rest(self) -> Iterator[np.ndarray]:
        """Yield the latents of the batches still under way."""
        while self._queue:
            yield self._collected()

    def _computed(self, batch: torch.Tensor) -> _Result:
        result = _Result(self._encoder.device)
        start = 0
        while start < len(batch):
            piece = batch[start : start + self._size]
            try:
                result.began()
                inputs = self._encoder.finish(piece)
                result.preprocessed()
                result.add(self._encoder.forward(inputs))
                start += len(piece)
                continue
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                told = first_line(error, 200)
            # Outside the handler: the error's traceback held the tensors that did not fit.
            self._halve(told)
        result.send()
        return result

    def _halve(self, told: str) -> None:
        if self._size == 1:
            raise EncoderError(
                f"{self._encoder.name}: not even one image fits into the memory of "
                f"{self._encoder.device} ({told}). Give the job more memory, or exclude the model."
            )
        self._size //= 2
        _logger.warning("out of memory (%s): going on with %d images a pass", told, self._size)
        self._smaller(self._size)
        if self._encoder.device.type == "cuda":
            torch.cuda.empty_cache()

    def _collected(self) -> np.ndarray:
        result = self._queue.popleft()
        latents = result.received()
        self._timings.preprocess += result.seconds_preprocess
        self._timings.forward += result.seconds_forward
        return latents


class _Result:
    """Latents of one batch on their way to the host, and the time that they took."""

    def __init__(self, device: torch.device) -> None:
        self._on_cuda = device.type == "cuda"
        self._pieces: list[torch.Tensor] = []
        self._marks: list[tuple[_Mark, _Mark, _Mark]] = []
        self._host: torch.Tensor | None = None
        self.seconds_preprocess = 0.0
        self.seconds_forward = 0.0

    def began(self) -> None:
        self._first = self._mark()

    def preprocessed(self) -> None:
        self._second = self._mark()

    def add(self, latents: torch.Tensor) -> None:
        self._pieces.append(latents)
        self._marks.append((self._first, self._second, self._mark()))

    def send(self) -> None:
        """Start copying to the host."""
        # Piece by piece: joined on the device they would need memory that ran out there.
        shape = sum(len(piece) for piece in self._pieces), self._pieces[0].shape[1]
        self._host = torch.empty(shape, dtype=self._pieces[0].dtype, pin_memory=self._on_cuda)
        for place, piece in zip(
            self._host.split([len(piece) for piece in self._pieces]), self._pieces, strict=True
        ):
            place.copy_(piece, non_blocking=True)
        self._pieces.clear()
        if self._on_cuda:
            self._arrived = torch.cuda.Event()
            self._arrived.record()

    def received(self) -> np.ndarray:
        """Wait for the copy; return (b, width) float32."""
        if self._on_cuda:
            self._arrived.synchronize()
        for first, second, third in self._marks:
            self.seconds_preprocess += second.since(first)
            self.seconds_forward += third.since(second)
        assert self._host is not None
        return self._host.numpy()

    def _mark(self) -> _Mark:
        return _Mark(self._on_cuda)


class _Mark:
    """A moment: on the host's clock, or in an accelerator's stream of work."""

    def __init__(self, on_cuda: bool) -> None:
        self._event: torch.cuda.Event | None = None
        if on_cuda:
            self._event = torch.cuda.Event(enable_timing=True)
            self._event.record()
        else:
            self._time = time.perf_counter()

    def since(self, earlier: _Mark) -> float:
        """Return seconds; both moments must have passed."""
        if self._event is not None and earlier._event is not None:
            return earlier._event.elapsed_time(self._event) / 1000
        return self._time - earlier._time
