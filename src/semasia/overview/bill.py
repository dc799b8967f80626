"""The bill: what a collection will cost, told before it begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from semasia.config.collection import Collection

if TYPE_CHECKING:
    import polars as pl

    from semasia.overview.speed import Speed

COLUMNS: dict[str, type] = {
    "benchmark": str,
    "split": str,
    "models": int,
    "examples": int,
    "rows": int,
    "models_unmeasured": int,
    "flops": float,
    "bytes": int,
    "device_gib": int,
    "hours": float,
    "hours_left": float,
    "shards_done": int,
}

# Sizes of device memory as they are sold, in GiB.
_DEVICES = (8, 16, 24, 40, 80, 141)
_GIB = 2**30
# Weights in float32, and room for activations, the framework and its libraries.
_ROOM = 3.0


@dataclass(frozen=True)
class ModelCost:
    """What one image costs with one model; None where the registry does not know."""

    flops: int | None
    width: int | None
    parameters: int | None


def costs_of(collection: Collection, registry: Path, cache: Path | None) -> dict[str, ModelCost]:
    """Return the costs of a collection's models, from the registry."""
    from semasia.registry.table import collection_rows

    rows = collection_rows(collection.models.values(), registry, cache)
    return {
        row["model_name"]: ModelCost(
            row["flops"], row["latent_dim"], row["num_backbone_parameters"]
        )
        for row in rows
    }


def bill_frame(
    collection: Collection, costs: dict[str, ModelCost], results: Path, speed: Speed | None
) -> pl.DataFrame:
    """Return the bill, one row per benchmark and split.

    Parameters
    ----------
    collection : Collection
    costs : dict of ModelCost
        Of every model.
    results : Path
        Where shards are looked for.
    speed : Speed or None
        Tells seconds per image; without it there are no hours.

    Returns
    -------
    DataFrame
        With the columns of :data:`COLUMNS`. ``flops`` is Σ FLOPs(m)·N (Semasia, App. A.1), a
        multiply and an add counting as two; ``bytes`` the uncompressed columns of the shards;
        ``device_gib`` the smallest usual device that holds the largest model; models whose cost
        the registry does not know are counted in ``models_unmeasured``.
    """
    from semasia.overview.coverage import states_of
    from semasia.tables import frame_of

    done = {s.target for s in states_of(collection, results) if s.state == "done"}
    rows = []
    for benchmark, card in collection.benchmarks.items():
        for split in collection.splits(benchmark):
            examples = collection.rows(benchmark, split)
            fixed = 4 + 8 * len(card.labels)
            flops = 0.0
            size = hours = left = 0.0
            unmeasured = largest = finished = 0
            for model in collection.models:
                cost = costs[model]
                made = (benchmark, model, split) in done
                finished += made
                if cost.flops is None or cost.width is None:
                    unmeasured += 1
                    continue
                flops += cost.flops * examples
                size += (fixed + 4 * cost.width) * examples
                largest = max(largest, cost.parameters or 0)
                if speed is not None:
                    spent = speed.seconds_per_image(model, cost.flops) * examples / 3600
                    hours += spent
                    left += 0.0 if made else spent
            rows.append(
                {
                    "benchmark": benchmark,
                    "split": split,
                    "models": len(collection.models),
                    "examples": examples,
                    "rows": len(collection.models) * examples,
                    "models_unmeasured": unmeasured,
                    "flops": flops,
                    "bytes": int(size),
                    "device_gib": device_for(largest),
                    "hours": hours if speed else None,
                    "hours_left": left if speed else None,
                    "shards_done": finished,
                }
            )
    return frame_of(rows, COLUMNS)


def device_for(parameters: int) -> int:
    """Return the GiB of the smallest usual device that runs a model of so many parameters."""
    needed = 4 * parameters / _GIB + _ROOM
    return next((size for size in _DEVICES if size >= needed), _DEVICES[-1])


def bill_lines(
    bill: pl.DataFrame, costs: dict[str, ModelCost], speed: Speed | None
) -> Iterator[str]:
    """Yield the bill as lines of text, with the sum of all."""
    head = ["benchmark/split", "models", "examples", "rows", "FLOPs", "size", "done"]
    lines = [head + (["hours", "left"] if speed else [])]
    for row in bill.iter_rows(named=True):
        line = [f"{row['benchmark']}/{row['split']}", f"{row['models']:,}", f"{row['examples']:,}"]
        line += [f"{row['rows']:,}", f"{row['flops']:.3g}", size_text(row["bytes"])]
        line += [f"{row['shards_done']:,}"]
        lines.append(
            line + ([f"{row['hours']:,.1f}", f"{row['hours_left']:,.1f}"] if speed else [])
        )
    sums = ["all", "", f"{bill['examples'].sum():,}", f"{bill['rows'].sum():,}"]
    sums += [f"{bill['flops'].sum():.3g}", size_text(int(bill["bytes"].sum()))]
    sums += [f"{bill['shards_done'].sum():,} of {(bill['models']).sum():,}"]
    if speed:
        sums += [f"{bill['hours'].sum():,.1f}", f"{bill['hours_left'].sum():,.1f}"]
    lines.append(sums)
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        first = line[0].ljust(widths[0])
        yield "  ".join([first, *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))])
    yield ""
    yield "Device memory: " + ", ".join(
        f"{count:,} models in {size} GiB" for size, count in _classes(costs).items()
    )
    unmeasured = max(bill["models_unmeasured"].to_list(), default=0)
    if unmeasured:
        yield f"{unmeasured} models are of unknown cost, and in no sum."
    yield (
        f"Hours: {speed.source}."
        if speed
        else (
            "Hours: unknown. `--calibrate` measures this machine; timings of a part tell them too."
        )
    )


def size_text(size: float) -> str:
    """Return bytes as text, in powers of 1,000."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def _classes(costs: dict[str, ModelCost]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for cost in costs.values():
        if cost.parameters is not None:
            size = device_for(cost.parameters)
            counts[size] = counts.get(size, 0) + 1
    return dict(sorted(counts.items()))
