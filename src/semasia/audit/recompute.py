"""Compute rows drawn at random again, through the reference path on the processor, and compare."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from semasia.audit.finding import Recomputation, ShardRecord
from semasia.audit.known_cards import KnownCards
from semasia.audit.progress import Progress
from semasia.audit.references import InputsAtHand
from semasia.errors import SemasiaError
from semasia.inputs import PreparedSplit
from semasia.latents.checks import read_provenance
from semasia.latents.nearness import nearness
from semasia.latents.shard_file import ShardFile

if TYPE_CHECKING:
    from semasia.encoders import Encoder

# Images in one forward pass: little memory, whatever the network.
_BATCH = 8


class Tolerance(NamedTuple):
    """How near a recomputed vector must come to the stored one.

    The cosine alone would let a vector pass that is scaled, hence the relative error, of about
    ``sqrt(2 (1 − cosine))``.
    """

    cosine: float
    error: float


FULL = Tolerance(0.9999, 0.02)
REDUCED = Tolerance(0.999, 0.05)


class Drawn(NamedTuple):
    """Rows drawn from one shard: ascending (k,) positions."""

    record: ShardRecord
    positions: np.ndarray


def draw(records: Iterable[ShardRecord], count: int, seed: int) -> list[Drawn]:
    """Draw rows uniformly over all (shard, row) pairs, without repetition.

    Parameters
    ----------
    records : iterable of ShardRecord
    count : int
        Rows to draw; all rows if there are fewer.
    seed : int

    Returns
    -------
    list of Drawn
        One for each shard that a row was drawn from, in the order of the records.
    """
    shards = [r for r in records if r.rows]
    ends = np.cumsum([r.rows or 0 for r in shards], dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    if count >= total:
        rows = np.arange(total)
    else:
        rows = np.sort(np.random.default_rng(seed).choice(total, count, replace=False))
    owners = np.searchsorted(ends, rows, side="right")
    drawn = []
    for owner in np.unique(owners):
        start = ends[owner - 1] if owner else 0
        drawn.append(Drawn(shards[owner], rows[owners == owner] - start))
    return drawn


def recompute(
    records: Iterable[ShardRecord],
    count: int,
    *,
    seed: int,
    cards: KnownCards,
    inputs: InputsAtHand,
    progress: Progress,
) -> Recomputation:
    """Recompute rows of sound shards and note, in each shard, those that do not come out again.

    Each network is built once, for all its shards. What cannot be computed (no card, no weights,
    no inputs) is told in the result and is no fault of a shard.

    Parameters
    ----------
    records : iterable of ShardRecord
        Those that are unsound or without provenance are left out.
    count : int
        Rows to draw, see :func:`draw`.
    seed : int
    cards : KnownCards
    inputs : InputsAtHand
    progress : Progress

    Returns
    -------
    Recomputation
    """
    result = Recomputation(asked=count)
    sound = [r for r in records if r.sound and r.layout == "semasia"]
    if not sound:
        result.unavailable.append("no sound shard with provenance to draw rows from.")
    models: dict[str, list[Drawn]] = defaultdict(list)
    for drawn in draw(sound, count, seed):
        models[drawn.record.model].append(drawn)
    total = sum(len(d.positions) for m in models.values() for d in m)
    for name, shards in models.items():
        missing: dict[str, list[Drawn]] = defaultdict(list)
        network = _Network(cards)
        for drawn in shards:
            try:
                _compare(drawn, network, inputs, result)
            except SemasiaError as error:
                missing[str(error)].append(drawn)
            except Exception as error:  # whatever one network does, the others are run
                missing[f"{type(error).__name__}: {error}"].append(drawn)
            progress("recomputed rows", result.compared, total, f", {name}")
        result.networks += network.built
        for reason, rows in missing.items():
            number = sum(len(d.positions) for d in rows)
            where = f"{number:,} rows of {len(rows):,} shards"
            result.unavailable.append(f"{name}: cannot be recomputed ({where}): {reason}")
    return result


class _Network:
    """Builds the network of one model when it is first needed; a failure is not tried again."""

    def __init__(self, cards: KnownCards) -> None:
        self._cards = cards
        self._encoder: Encoder | None = None
        self._error: SemasiaError | None = None

    @property
    def built(self) -> bool:
        return self._encoder is not None

    def encoder(self, described: Mapping[str, Any]) -> Encoder:
        from semasia.encoders import TimmEncoder

        if self._error is not None:
            raise self._error
        if self._encoder is None:
            try:
                self._encoder = TimmEncoder(self._cards.of(described), "cpu")
            except SemasiaError as error:
                self._error = error
                raise
        return self._encoder


def _compare(drawn: Drawn, network: _Network, inputs: InputsAtHand, result: Recomputation) -> None:
    """Recompute the rows drawn from one shard and note what differs."""
    record = drawn.record
    file = ShardFile(record.path)
    provenance = read_provenance(record.path, file.metadata)
    known = provenance["benchmark"]
    prepared = inputs.of(record.path, known["name"], known["split"])
    if prepared is None:
        where = inputs.folder_of(record.path)
        raise SemasiaError(
            f"there are no prepared inputs of {known['name']}/{known['split']} "
            f"({f'none in {where}' if where else 'none beside the shard'}); give --inputs."
        )
    encoder = network.encoder(provenance["encoder"])
    other = _other_network(record, provenance, encoder.describe())
    stored = file.vectors(drawn.positions, provenance["encoder"]["width"]).astype(np.float64)
    again = _encoded(encoder, prepared, drawn.positions).astype(np.float64)
    if again.shape != stored.shape:
        record.note("values", f"the network gives vectors of {again.shape[1]} now{other}.")
        return
    cosine, error = nearness(stored, again)
    result.compared += len(stored)
    result.shards += 1
    lowest, largest = float(cosine.min()), float(error.max())
    if result.lowest_cosine is not None and result.largest_error is not None:
        lowest, largest = min(lowest, result.lowest_cosine), max(largest, result.largest_error)
    result.lowest_cosine, result.largest_error = lowest, largest
    reduced = (provenance.get("numerics") or {}).get("compute") != "float32"
    tolerance = REDUCED if reduced else FULL
    wrong = np.flatnonzero(~((cosine >= tolerance.cosine) & (error <= tolerance.error)))
    for row in wrong[:5]:
        record.note(
            "values",
            f"the vector of id {prepared.ids[drawn.positions[row]]} does not come out again: "
            f"cosine {cosine[row]:.6f} (at least {tolerance.cosine}), relative error "
            f"{error[row]:.2g} (at most {tolerance.error}){other}.",
        )
    if len(wrong) > 5:
        record.note("values", f"{len(wrong) - 5:,} more of {len(stored):,} rows do not either.")


def _other_network(
    record: ShardRecord, provenance: Mapping[str, Any], described: Mapping[str, Any]
) -> str:
    """Note weights that are not those of provenance; return what else may explain a difference."""
    known = (provenance["encoder"].get("weights") or {}).get("sha256")
    found = described["encoder"]["weights"]["sha256"]
    if known is not None and found != known:
        record.note(
            "weights", f"the weights loaded have SHA-256 {found}, but provenance says {known}."
        )
    before, now = provenance.get("preprocessing") or {}, described["preprocessing"]
    changed = [
        f"{key} was {before[key]}, is {now[key]}"
        for key in sorted(set(before) & set(now) - {"backend"})
        if before[key] != now[key]
    ]
    return f"; preprocessing differs: {', '.join(changed)}" if changed else ""


def _encoded(encoder: Encoder, prepared: PreparedSplit, positions: np.ndarray) -> np.ndarray:
    import torch

    blocks = []
    for start in range(0, len(positions), _BATCH):
        images = [prepared.image(int(p)) for p in positions[start : start + _BATCH]]
        blocks.append(encoder.encode(torch.stack([encoder.preprocess(i) for i in images])))
    return np.concatenate(blocks)
