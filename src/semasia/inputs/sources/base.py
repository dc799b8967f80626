"""What every reader returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from semasia.inputs.images import Payload


@dataclass(frozen=True)
class SourceSplit:
    """One split of a benchmark, opened but not read.

    Attributes
    ----------
    ids : (n,) uint32 array
        Position of each row in the source.
    labels : dict of (n,) int64 arrays
        One per label column of the card, values verbatim.
    names : dict
        Class names per label column, or None where the source has none.
    image : callable
        Position in 0 … n−1 → the image as stored. Safe to call from several threads.
    origin : dict
        What identifies the source in provenance: repository and commit, or a file's SHA-256.
    skipped : str
        What of the source was left out, in words.
    where : callable, optional
        Position → where the image is stored, for messages: a file, or a table and a row of it.
    """

    ids: np.ndarray
    labels: dict[str, np.ndarray]
    names: dict[str, tuple[str, ...] | None]
    image: Callable[[int], Payload]
    origin: dict[str, str] = field(default_factory=dict)
    skipped: str = ""
    where: Callable[[int], str] | None = None

    @property
    def rows(self) -> int:
        return len(self.ids)

    def take(self, positions: np.ndarray) -> SourceSplit:
        """Return the split restricted to ``positions`` (m, int), in that order."""
        image, where = self.image, self.where
        return SourceSplit(
            ids=self.ids[positions],
            labels={name: values[positions] for name, values in self.labels.items()},
            names=self.names,
            image=lambda i: image(int(positions[i])),
            origin=self.origin,
            skipped=self.skipped,
            where=(lambda i: where(int(positions[i]))) if where else None,
        )
