"""Where the time of an extraction went, as a row of the timings table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from semasia.encoders import Encoder
from semasia.extraction.parity import Parity

COLUMNS: dict[str, type] = {
    "benchmark": str,
    "split": str,
    "model_name": str,
    "rows": int,
    "rows_resumed": int,
    "device": str,
    "engine": str,
    "precision": str,
    "threads": int,
    "batch_size": int,
    "seconds_setup": float,
    "seconds_plan": float,
    "seconds_load": float,
    "seconds_preprocess": float,
    "seconds_forward": float,
    "seconds_write": float,
    "images_per_second": float,
    "parity_rows": int,
    "parity_cosine_min": float,
    "parity_cosine_median": float,
    "parity_error_median": float,
    "parity_error_max": float,
}


@dataclass
class Timings:
    """Seconds that one extraction spent, and on how many rows.

    Attributes
    ----------
    rows, rows_resumed : int
        In all, and those an earlier run had left.
    batch_size : int
    engine : str
    plan : float
        Trials of batch sizes, and compilation.
    load : float
        Waiting for images: read, decoded and, by Pillow, transformed. Loading that overlapped with
        an accelerator's work is not in it.
    preprocess, forward : float
        Of the device: pixels made into inputs, inputs into vectors.
    write : float
        Parts and the shard.
    elapsed : float
        On rows, from the first batch to the finished shard. On an accelerator the kinds of work
        overlap, and their sum is more than this.
    parity : Parity or None
        Of a reduced precision.
    """

    rows: int
    rows_resumed: int = 0
    batch_size: int = 0
    engine: str = "eager"
    plan: float = 0.0
    load: float = 0.0
    preprocess: float = 0.0
    forward: float = 0.0
    write: float = 0.0
    elapsed: float = 0.0
    parity: Parity | None = None

    @property
    def images_per_second(self) -> float | None:
        """Rows computed in this run over the time they took."""
        done = self.rows - self.rows_resumed
        return done / self.elapsed if done and self.elapsed else None

    def share(self, kind: str) -> float:
        """Return the share of a kind of work in :attr:`elapsed`, 0 to 1."""
        return getattr(self, kind) / self.elapsed if self.elapsed else 0.0


def timings_row(
    benchmark: str, split: str, encoder: Encoder, timings: Timings, setup: float, threads: int
) -> dict[str, Any]:
    """Return a row with the keys of :data:`COLUMNS`.

    ``setup`` is the time from the start of the job to the first image: imports, and the network
    built and loaded. Nothing is said of parity where the precision is float32.
    """
    parity = asdict(timings.parity) if timings.parity else {}
    return {
        "benchmark": benchmark,
        "split": split,
        "model_name": encoder.name,
        "rows": timings.rows,
        "rows_resumed": timings.rows_resumed,
        "device": encoder.device.type,
        "engine": timings.engine,
        "precision": encoder.precision.name,
        "threads": threads,
        "batch_size": timings.batch_size,
        "seconds_setup": setup,
        "seconds_plan": timings.plan,
        "seconds_load": timings.load,
        "seconds_preprocess": timings.preprocess,
        "seconds_forward": timings.forward,
        "seconds_write": timings.write,
        "images_per_second": timings.images_per_second,
        **{f"parity_{k}": v for k, v in parity.items()},
    }
