"""Run an encoder over a prepared split and write its shard."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from semasia.encoders import Encoder
from semasia.extraction.timings import Timings
from semasia.inputs import PreparedSplit
from semasia.latents import ShardWriter, provenance_of

# Batches prepared ahead of the one the network is working on. Memory is bounded by these.
_PREFETCH = 2


def extract(
    encoder: Encoder,
    prepared: PreparedSplit,
    path: Path,
    *,
    batch_size: int = 64,
    batches_per_part: int = 16,
    threads: int = 1,
    progress: Callable[[int, int, int], None] | None = None,
) -> Timings:
    """Write the shard of one encoder on one split, resuming whatever parts are there.

    Parameters
    ----------
    encoder : Encoder
    prepared : PreparedSplit
    path : Path
        The shard to write.
    batch_size : int
        Images per forward pass.
    batches_per_part : int
        Forward passes between two saves.
    threads : int
        Threads that decode and transform images.
    progress : callable, optional
        Told (rows done, rows in all, rows just computed) after every batch.

    Returns
    -------
    Timings

    Raises
    ------
    EncoderError
        If the network gives a wrong shape or a value that is not finite.
    ImageError
        If an image cannot be decoded.
    StorageError
        If a file cannot be written.
    """
    writer = ShardWriter(
        path,
        prepared,
        provenance_of(prepared, encoder.describe()),
        batch_size=batch_size,
        batches_per_part=batches_per_part,
    )
    missing = writer.missing()
    total = len(prepared)
    done = total - sum(len(r) for r in missing)
    timings = Timings(rows=total, rows_resumed=done, batch_size=writer.batch_size)
    with ThreadPoolExecutor(threads, thread_name_prefix="preprocess") as pool:
        batches = _batches(encoder, prepared, missing, writer.batch_size, pool)
        for rows in missing:
            latents = np.empty((len(rows), encoder.width), np.float32)
            for start in range(rows.start, rows.stop, writer.batch_size):
                t0 = time.perf_counter()
                batch = next(batches)
                t1 = time.perf_counter()
                encoded = encoder.encode(batch)
                t2 = time.perf_counter()
                latents[start - rows.start :][: len(batch)] = encoded
                done += len(batch)
                timings.preprocess += t1 - t0
                timings.forward += t2 - t1
                if progress:
                    progress(done, total, len(batch))
            t0 = time.perf_counter()
            writer.add(rows, latents)
            timings.write += time.perf_counter() - t0
    t0 = time.perf_counter()
    writer.finish()
    timings.write += time.perf_counter() - t0
    return timings


def _batches(
    encoder: Encoder,
    prepared: PreparedSplit,
    ranges: list[range],
    batch_size: int,
    pool: ThreadPoolExecutor,
) -> Iterator[torch.Tensor]:
    """Yield (b, 3, H, W) batches in row order, a few of them prepared ahead."""

    def one(position: int) -> torch.Tensor:
        return encoder.preprocess(prepared.image(position))

    queue: deque[list[Future[torch.Tensor]]] = deque()
    starts = [
        range(s, min(s + batch_size, r.stop))
        for r in ranges
        for s in range(r.start, r.stop, batch_size)
    ]
    for rows in starts:
        queue.append([pool.submit(one, i) for i in rows])
        if len(queue) > _PREFETCH:
            yield torch.stack([f.result() for f in queue.popleft()])
    while queue:
        yield torch.stack([f.result() for f in queue.popleft()])
