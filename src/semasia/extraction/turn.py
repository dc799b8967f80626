"""A job's turn: its own shard, and then the other splits of its model that the run is to make."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from semasia.errors import SemasiaError, StoppedError
from semasia.extraction.ahead import Order, keep, keep_link, key_of, others, take, write_row

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """How shards of a model are to be made.

    Attributes
    ----------
    encoder : mapping
        The model's card.
    preprocess, precision, device : str
        As :class:`~semasia.encoders.TimmEncoder` takes them.
    wishes : mapping
        Arguments of :class:`~semasia.extraction.Wishes`.
    together : bool
        Whether to go on with the model's other splits.
    weights : str, optional
        Digest of the local files of weights; None: worked out where there are any.
    """

    encoder: Mapping[str, Any]
    preprocess: str
    precision: str
    device: str
    wishes: Mapping[str, Any]
    together: bool
    weights: str | None = None


class _BusyError(Exception):
    """Another process is at work on a shard."""


class _TakenError(Exception):
    """Another process has made a shard ahead of its turn."""


def take_turn(order: Order, asked: Asked, run: Path, began: float) -> None:
    """Make a shard, or take it from the store; then, if asked, make others of the model ahead.

    Parameters
    ----------
    order : Order
    asked : Asked
    run : Path
        Folder of what the whole run shares.
    began : float
        When the job began, on the clock of ``time.perf_counter``.

    Raises
    ------
    SemasiaError
        If the shard cannot be made. What goes wrong with another split is left to its own job.
    """
    asked = _with_weights(asked)
    key = _key(order, asked)
    if asked.together and take(order, key):
        _logger.info("made ahead by the job of another split")
        return
    maker = _Maker(asked, order.results, run)

    def take_if_made() -> None:
        if take(order, key):
            raise _TakenError

    try:
        row = maker.make(order, None, began, take_if_made)
    except _TakenError:
        _logger.info("made by the job of another split meanwhile")
        return
    write_row(order.timings, row)
    if not asked.together:
        return
    keep_link(order, key)
    for other in others(run, order):
        try:
            maker.make_ahead(other)
        except _BusyError:
            continue
        except StoppedError as stopped:
            # This job's own shard is made: it has not failed.
            _logger.warning("%s", stopped)
            return
        except (SemasiaError, OSError) as error:
            _logger.warning("%s/%s is left to its own job: %s", other.benchmark, other.split, error)


def _with_weights(asked: Asked) -> Asked:
    from semasia.registry import EncoderCard
    from semasia.registry.content import weights_content

    if asked.weights is not None:
        return asked
    try:
        found = weights_content(EncoderCard.model_validate(asked.encoder))
    except OSError:
        # Loading them tells what is the matter.
        return asked
    return replace(asked, weights=found)


def _key(order: Order, asked: Asked) -> str:
    return key_of(order, asked.encoder, asked.preprocess, asked.precision, asked.weights)


class _Maker:
    """Makes shards of one model with one network."""

    def __init__(self, asked: Asked, results: Path, run: Path) -> None:
        from semasia.encoders import TimmEncoder, keep_freed_memory, share_compiled
        from semasia.registry import EncoderCard

        keep_freed_memory()
        share_compiled(results / "cache" / "compiled")
        self._asked = asked
        self._run = run
        self._encoder = TimmEncoder(
            EncoderCard.model_validate(asked.encoder),
            device=asked.device,
            preprocess=asked.preprocess,
            precision=asked.precision,
        )

    def make_ahead(self, order: Order) -> None:
        began = time.perf_counter()
        if not (order.data.exists() and order.facts.exists()):
            return
        key = _key(order, self._asked)
        made = order.made(key)
        if made.with_suffix(".json").exists():
            return

        def give_way() -> None:
            raise _BusyError

        keep(order, key, self.make(order, made, began, give_way))

    def make(
        self, order: Order, destination: Path | None, began: float, waiting: Callable[[], None]
    ) -> dict[str, Any]:
        """Write a shard; return the row of its timings."""
        from semasia.extraction.engine import extract
        from semasia.extraction.planning import Wishes
        from semasia.extraction.progress import Progress
        from semasia.extraction.timings import timings_row
        from semasia.inputs import PreparedSplit

        prepared = PreparedSplit.open(order.data, order.facts)
        setup = time.perf_counter() - began
        timings = extract(
            self._encoder,
            prepared,
            order.shard,
            Wishes(**self._asked.wishes),
            destination=destination,
            waiting=waiting,
            progress=Progress(f"extract {order.benchmark}/{order.split} {order.model}", self._run),
        )
        threads = self._asked.wishes["threads"]
        row = timings_row(order.benchmark, order.split, self._encoder, timings, setup, threads)
        _logger.info("%s", row)
        return row
