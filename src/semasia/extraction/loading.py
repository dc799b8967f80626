"""Batches of a prepared split, as an encoder wants them on the host, a few prepared ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from semasia.encoders import Encoder
from semasia.errors import ImageError, first_line
from semasia.inputs import PreparedSplit

# Batches loaded while an accelerator works on another. Memory is bounded by these.
_AHEAD = 2


def batches(
    encoder: Encoder,
    prepared: PreparedSplit,
    ranges: Iterable[range],
    size: int,
    pool: ThreadPoolExecutor,
) -> Iterator[torch.Tensor]:
    """Yield one host tensor per range of rows, in order.

    Parameters
    ----------
    encoder : Encoder
    prepared : PreparedSplit
    ranges : iterable of range
        Rows of each batch.
    size : int
        Rows of every batch; a shorter one is filled up with its last row, so that all forward
        passes have one shape.
    pool : ThreadPoolExecutor
        Decodes and transforms images.

    Raises
    ------
    ImageError
        If an image cannot be decoded.
    """
    submit = _submitter(encoder, prepared, pool)
    # On a processor the network leaves no core idle: loading ahead would only make them contend.
    ahead = _AHEAD if encoder.device.type != "cpu" else 0
    pinned = encoder.device.type == "cuda"
    queue: deque[Callable[[], torch.Tensor]] = deque()
    for rows in ranges:
        queue.append(submit(rows))
        if len(queue) > ahead:
            yield _whole(queue.popleft()(), size, pinned)
    while queue:
        yield _whole(queue.popleft()(), size, pinned)


def _submitter(
    encoder: Encoder, prepared: PreparedSplit, pool: ThreadPoolExecutor
) -> Callable[[range], Callable[[], torch.Tensor]]:
    shape = prepared.facts.image_shape
    if shape and encoder.takes_pixels(tuple(shape)):
        return lambda rows: lambda: torch.from_numpy(prepared.pixels(rows))

    def one(position: int) -> torch.Tensor:
        image = prepared.image(position)
        try:
            return encoder.preprocess(image)
        except Exception as error:  # whatever an image of this size and mode makes a library raise
            facts = prepared.facts
            why = str(error) if isinstance(error, ImageError) else first_line(error)
            if isinstance(error, MemoryError):
                why = "this machine's memory does not suffice; give the job more, or fewer threads"
            elif not isinstance(error, ImageError | ValueError | OSError):
                why = f"{type(error).__name__}: {why}"
            raise ImageError(
                f"{facts.benchmark}/{facts.split}: image with id {prepared.ids[position]} "
                f"({image.mode}, {image.width}×{image.height}) cannot be preprocessed for "
                f"{encoder.name}: {why}."
            ) from error

    def submit(rows: range) -> Callable[[], torch.Tensor]:
        futures: list[Future[torch.Tensor]] = [pool.submit(one, i) for i in rows]
        return lambda: torch.stack([f.result() for f in futures])

    return submit


def _whole(batch: torch.Tensor, size: int, pinned: bool) -> torch.Tensor:
    if len(batch) < size:
        batch = torch.cat([batch, batch[-1:].expand(size - len(batch), *batch.shape[1:])])
    return batch.pin_memory() if pinned else batch
