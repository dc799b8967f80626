"""Where the time of an extraction went, as a row of the timings table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from semasia.encoders import Encoder

COLUMNS: dict[str, type] = {
    "benchmark": str,
    "split": str,
    "model_name": str,
    "rows": int,
    "rows_resumed": int,
    "device": str,
    "threads": int,
    "batch_size": int,
    "seconds_setup": float,
    "seconds_preprocess": float,
    "seconds_forward": float,
    "seconds_write": float,
    "images_per_second": float,
}


@dataclass
class Timings:
    """Seconds of wall time that one extraction spent, and on how many rows.

    ``preprocess`` is the time the network waited for inputs; work that overlapped with the network
    is not in it.
    """

    rows: int
    rows_resumed: int
    batch_size: int
    preprocess: float = 0.0
    forward: float = 0.0
    write: float = 0.0

    @property
    def images_per_second(self) -> float | None:
        """Rows computed in this run over the time they took, setup apart."""
        seconds = self.preprocess + self.forward + self.write
        done = self.rows - self.rows_resumed
        return done / seconds if done and seconds else None


def timings_row(
    benchmark: str, split: str, encoder: Encoder, timings: Timings, setup: float, threads: int
) -> dict[str, Any]:
    """Return a row with the keys of :data:`COLUMNS`.

    ``setup`` is the time from the start of the job to the first image: imports, and the network
    built and loaded.
    """
    return {
        "benchmark": benchmark,
        "split": split,
        "model_name": encoder.name,
        "rows": timings.rows,
        "rows_resumed": timings.rows_resumed,
        "device": encoder.describe()["numerics"]["device"],
        "threads": threads,
        "batch_size": timings.batch_size,
        "seconds_setup": setup,
        "seconds_preprocess": timings.preprocess,
        "seconds_forward": timings.forward,
        "seconds_write": timings.write,
        "images_per_second": timings.images_per_second,
    }
