"""Decide once per shard how it is computed: engine, batch size, threads."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from semasia.encoders import Encoder
from semasia.encoders.compilation import can_compile
from semasia.encoders.memory import is_out_of_memory
from semasia.errors import EncoderError, first_line
from semasia.extraction.timings import Timings
from semasia.latents.parts import Plan

_logger = logging.getLogger(__name__)

# Images per forward pass where the configuration names none. On a processor larger batches are not
# faster, and need more memory.
_PROCESSOR_BATCH = 32
_ACCELERATOR_BATCH = 256
# First batch tried on an accelerator; it is doubled as long as memory lasts.
_FIRST_BATCH = 8


@dataclass(frozen=True)
class Wishes:
    """What the configuration says of how rows are computed.

    Attributes
    ----------
    batch_size : int or None
        The largest number of images per forward pass; None: 32 on a processor, 256 elsewhere.
    batches_per_part : int
        Forward passes between two saves.
    compile_from : int or None
        Rows of a split from which compiling a network for the processor repays itself; None:
        never compile.
    threads : int
        Of the job.
    """

    batch_size: int | None = None
    batches_per_part: int = 16
    compile_from: int | None = None
    threads: int = 1


Sample = Callable[[int], torch.Tensor]


def decided(
    encoder: Encoder,
    rows: int,
    wishes: Wishes,
    sample: Sample,
    known: Plan | None,
    timings: Timings,
) -> Plan:
    """Return the plan of a shard, and make the encoder ready for it.

    Parameters
    ----------
    encoder : Encoder
    rows : int
        Of the whole split, so that a resumed job decides alike.
    wishes : Wishes
    sample : callable
        Returns a host batch of so many rows.
    known : Plan or None
        The plan of an earlier run, to be kept.
    timings : Timings
        ``plan`` is added up here: trials, and compilation.

    Returns
    -------
    Plan
        ``known`` where it can be kept, else a new one.
    """
    began = time.perf_counter()
    on_processor = encoder.device.type == "cpu"
    if known is None:
        limit = wishes.batch_size or (_PROCESSOR_BATCH if on_processor else _ACCELERATOR_BATCH)
        limit = min(limit, rows)
        size = limit if on_processor else _grown(encoder, limit, sample)
        engine = "eager"
        repays = wishes.compile_from is not None and rows >= wishes.compile_from
        if on_processor and repays and encoder.repays_compiling():
            engine = "inductor"
        plan = Plan(
            batch_size=size,
            part_rows=size * wishes.batches_per_part,
            engine=engine,
            threads=wishes.threads if on_processor else None,
        )
    else:
        plan = known
    if plan.threads is not None:
        torch.set_num_threads(plan.threads)
    plan = _made_ready(encoder, plan, sample, keep=known is not None)
    kind = _kind_of(encoder.device)
    if kind not in plan.computed_on:
        plan = replace(plan, computed_on=(*plan.computed_on, kind))
    timings.plan += time.perf_counter() - began
    return plan


def _grown(encoder: Encoder, limit: int, sample: Sample) -> int:
    """Return the largest batch, doubled from a small one up to a limit, that fits into memory."""
    size = min(_FIRST_BATCH, limit)
    fits = 1
    while True:
        if not _fits(encoder, sample(size)):
            _logger.info("a batch of %d does not fit into memory, %d does", size, fits)
            torch.cuda.empty_cache()
            return fits
        fits = size
        if size == limit:
            return size
        size = min(2 * size, limit)


def _fits(encoder: Encoder, batch: torch.Tensor) -> bool:
    try:
        encoder.encode(batch)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return False
    return True


def _made_ready(encoder: Encoder, plan: Plan, sample: Sample, *, keep: bool) -> Plan:
    """Compile where the plan says so; return the plan, on ``eager`` where that fails.

    With ``keep`` parts of a compiled network are at hand: then failing is an error. The next try
    may find a compiler, and the parts shall not be lost.
    """
    encoder.compile(plan.engine)
    if plan.engine == "eager":
        return plan
    try:
        if not can_compile():
            raise RuntimeError("there is no C++ compiler")
        encoder.encode(sample(plan.batch_size))
        return plan
    except Exception as error:
        if is_out_of_memory(error):
            return plan
        told = first_line(error)
        if keep:
            raise EncoderError(
                f"{encoder.name}: was compiled when this shard was begun, and cannot be compiled "
                f"now ({told}). Run again where a C++ compiler is; or delete the hidden parts "
                "beside the shard to begin anew."
            ) from error
        _logger.warning("runs eagerly: the network cannot be compiled (%s)", told)
    encoder.compile("eager")
    return replace(plan, engine="eager")


def _kind_of(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} {torch.backends.cpu.get_cpu_capability()}"
