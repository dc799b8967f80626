"""Run an encoder over a prepared split and write its shard."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from semasia.encoders import Encoder
from semasia.errors import EncoderError, ImageError, SourceError
from semasia.extraction.keeper import Keeper
from semasia.extraction.lane import Lane
from semasia.extraction.loading import batches
from semasia.extraction.parity import parity_of
from semasia.extraction.planning import Wishes, decided
from semasia.extraction.stopping import Stop, stop_on_sigterm
from semasia.extraction.timings import Timings
from semasia.inputs import PreparedSplit
from semasia.latents import ShardWriter, only_writer, provenance_of

_logger = logging.getLogger(__name__)


def extract(
    encoder: Encoder,
    prepared: PreparedSplit,
    path: Path,
    wishes: Wishes | None = None,
    *,
    destination: Path | None = None,
    waiting: Callable[[], None] | None = None,
    progress: Callable[[int, int, int, Timings], None] | None = None,
) -> Timings:
    """Write the shard of one encoder on one split, resuming whatever parts are there.

    A process that works on the same shard already is waited for; its result is then taken. On
    SIGTERM what is computed is saved before the process ends.

    Parameters
    ----------
    encoder : Encoder
    prepared : PreparedSplit
    path : Path
        The shard to write.
    wishes : Wishes, optional
        Batch size, saves, compilation, threads.
    destination : Path, optional
        Where the finished file goes instead; lock and parts lie beside ``path`` all the same.
    waiting : callable, optional
        Called while another process works on the shard; what it raises ends the wait.
    progress : callable, optional
        Told (rows done, rows in all, rows just computed, timings so far) after every batch.

    Returns
    -------
    Timings

    Raises
    ------
    EncoderError
        If the network gives a wrong shape or a value that is not finite, or does not fit into
        memory one image at a time.
    ImageError
        If an image cannot be decoded.
    StorageError
        If a file cannot be written.
    StoppedError
        If the process was asked to end.
    """
    if not len(prepared):
        facts = prepared.facts
        raise SourceError(f"{facts.benchmark}/{facts.split}: the prepared split has no rows.")

    def wait() -> None:
        stop.check()
        if waiting:
            waiting()

    with stop_on_sigterm() as stop, only_writer(path, waiting=wait) as alone:
        provenance = provenance_of(prepared, encoder.describe())
        writer = ShardWriter(path, prepared, provenance, destination)
        extraction = _Extraction(encoder, prepared, writer, wishes or Wishes(), stop, alone)
        return extraction.run(progress)


class _Extraction:
    def __init__(
        self,
        encoder: Encoder,
        prepared: PreparedSplit,
        writer: ShardWriter,
        wishes: Wishes,
        stop: Stop,
        alone: bool,
    ) -> None:
        self._encoder = encoder
        self._prepared = prepared
        self._wishes = wishes
        self._stop = stop
        self._alone = alone
        self._writer = writer
        self._timings = Timings(rows=len(prepared))

    def run(self, progress: Callable[[int, int, int, Timings], None] | None) -> Timings:
        timings, writer, total = self._timings, self._writer, len(self._prepared)
        if self._alone:
            writer.sweep()
        if writer.is_made():
            _logger.info(
                "this shard is made already, by another process or before this job was killed"
            )
            writer.discard()
            timings.rows_resumed = total
            return timings
        try:
            self._compute(progress)
        finally:
            writer.abandon()
        if timings.share("load") > 0.5:
            _logger.warning(
                "the network waited for images %.0f %% of the time; more threads for the job make "
                "it faster",
                100 * timings.share("load"),
            )
        return timings

    def _compute(self, progress: Callable[[int, int, int, Timings], None] | None) -> None:
        timings, writer, total = self._timings, self._writer, len(self._prepared)
        beside = self._encoder.device.type != "cpu"
        with ThreadPoolExecutor(self._wishes.threads, thread_name_prefix="load") as pool:
            self._begin(pool)
            missing = writer.missing()
            done = timings.rows_resumed = total - sum(len(r) for r in missing)
            began = time.perf_counter()
            with Keeper(writer, missing, self._encoder.width, timings, beside=beside) as keeper:
                try:
                    for rows, latents in self._computed(missing, pool):
                        keeper.add(rows, latents)
                        done += len(rows)
                        timings.elapsed = time.perf_counter() - began
                        if progress:
                            progress(done, total, len(rows), timings)
                except ImageError:
                    keeper.flush()
                    raise
                keeper.flush()
        self._stop.check()
        finishing = time.perf_counter()
        writer.finish()
        timings.write += time.perf_counter() - finishing
        timings.elapsed = time.perf_counter() - began

    def _begin(self, pool: ThreadPoolExecutor) -> None:
        """Decide how to compute, or go on as an earlier run decided."""
        n = len(self._prepared)

        def sample(size: int) -> torch.Tensor:
            rows = [range(min(size, n))]
            return next(batches(self._encoder, self._prepared, rows, size, pool))

        if self._encoder.precision.name != "float32":
            self._timings.parity = parity_of(
                self._encoder,
                n,
                lambda rows: next(batches(self._encoder, self._prepared, [rows], 1, pool)),
            )
        known = self._writer.known_plan()
        try:
            plan = decided(self._encoder, n, self._wishes, sample, known, self._timings)
        except EncoderError:
            # A signal to the whole job also ends its compiler.
            self._stop.check()
            raise
        self._stop.check()
        self._writer.begin(plan)
        self._timings.batch_size = plan.batch_size
        self._timings.engine = plan.engine

    def _computed(
        self, missing: list[range], pool: ThreadPoolExecutor
    ) -> Iterator[tuple[range, np.ndarray]]:
        """Yield the rows and the latents of batch after batch."""
        plan = self._writer.plan
        size = plan.batch_size
        ranges = [
            range(start, min(start + size, r.stop))
            for r in missing
            for start in range(r.start, r.stop, size)
        ]
        lane = Lane(self._encoder, plan.smallest_batch or size, self._smaller, self._timings)
        loaded = batches(self._encoder, self._prepared, ranges, size, pool)
        waiting = iter(ranges)
        for _ in ranges:
            if self._stop.signal is not None:
                break
            began = time.perf_counter()
            batch = next(loaded)
            self._timings.load += time.perf_counter() - began
            for latents in lane.put(batch):
                rows = next(waiting)
                yield rows, latents[: len(rows)]
        for latents in lane.rest():
            rows = next(waiting)
            yield rows, latents[: len(rows)]

    def _smaller(self, size: int) -> None:
        self._writer.begin(replace(self._writer.plan, smallest_batch=size))
