"""Say what an audit found: a table for a person, JSON for a machine."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from semasia.audit.finding import Audit, ShardRecord
from semasia.audit.recompute import FULL, REDUCED


def as_table(audit: Audit) -> str:
    """Return one line per problem, one per split, and last the count of shards."""
    lines = [f"{f.check:<10}  {f.path}: {_one_line(f.message)}" for f in audit.findings]
    if lines:
        lines = ["check       file: what was found", *lines, ""]
    if audit.records:
        heading = ("benchmark", "split", "models", "rows", "sound", "damaged", "held to")
        rows = [
            (
                *key,
                f"{len({r.model for r in group}):,}",
                _rows(group),
                *_counts(group),
                _held(group),
            )
            for key, group in _splits(audit).items()
        ]
        lines += [*_aligned([heading, *rows]), ""]
    lines += [f"note: {note}" for note in audit.notes]
    lines += _recomputed(audit)
    sound = sum(r.sound for r in audit.records)
    total = len(audit.records)
    shards = "shard" if total == 1 else "shards"
    lines.append(f"{total:,} {shards}: {sound:,} sound, {total - sound:,} damaged")
    return "\n".join(lines)


def as_json(audit: Audit) -> str:
    """Return the same as JSON: `shards`, `splits`, `problems`, `recomputation`, `notes`, counts."""
    sound = sum(r.sound for r in audit.records)
    splits = [
        {
            "benchmark": benchmark,
            "split": split,
            "models": _models(group),
            "rows": sorted({r.rows for r in group if r.rows is not None}),
            "sound": sum(r.sound for r in group),
            "damaged": sum(not r.sound for r in group),
        }
        for (benchmark, split), group in _splits(audit).items()
    ]
    content: dict[str, Any] = {
        "shards": len(audit.records),
        "sound": sound,
        "damaged": len(audit.records) - sound,
        "status": audit.status,
        "problems": [
            {"check": f.check, "path": str(f.path), "message": f.message} for f in audit.findings
        ],
        "splits": splits,
        "checked": [_shard(r) for r in audit.records],
        "recomputation": asdict(audit.recomputation) if audit.recomputation else None,
        "notes": audit.notes,
    }
    return json.dumps(content, indent=1, ensure_ascii=False)


def _shard(record: ShardRecord) -> dict[str, Any]:
    return {
        "path": str(record.path),
        "benchmark": record.benchmark,
        "model": record.model,
        "split": record.split,
        "layout": record.layout,
        "provenance": record.layout == "semasia",
        "held_to_inputs": record.held_to_inputs,
        "rows": record.rows,
        "width": record.width,
        "sound": record.sound,
        "failed": sorted({f.check for f in record.findings}),
    }


def _splits(audit: Audit) -> dict[tuple[str, str], list[ShardRecord]]:
    splits: dict[tuple[str, str], list[ShardRecord]] = defaultdict(list)
    for record in audit.records:
        splits[record.benchmark, record.split].append(record)
    return dict(sorted(splits.items()))


def _models(group: Sequence[ShardRecord]) -> int:
    return len({r.model for r in group})


def _rows(group: Sequence[ShardRecord]) -> str:
    """Return the rows of a model's shard, a range where they are not equal."""
    known = sorted({r.rows for r in group if r.rows is not None})
    if not known:
        return "?"
    return f"{known[0]:,}" if len(known) == 1 else f"{known[0]:,}–{known[-1]:,}"


def _counts(group: Sequence[ShardRecord]) -> tuple[str, str]:
    sound = sum(r.sound for r in group)
    return f"{sound:,}", f"{len(group) - sound:,}"


def _held(group: Sequence[ShardRecord]) -> str:
    """Return what the rows of these shards were held to."""
    words = set()
    for record in group:
        if record.layout == "released":
            words.add("no provenance")
        elif record.digests is not None:
            words.add("inputs" if record.held_to_inputs else "provenance")
    return " / ".join(sorted(words)) or "nothing"


def _recomputed(audit: Audit) -> list[str]:
    again = audit.recomputation
    if again is None:
        return []
    lines = [f"not recomputed: {_one_line(line)}" for line in again.unavailable]
    if again.lowest_cosine is None or again.largest_error is None:
        return [*lines, f"recomputed: none of {again.asked:,} rows"]
    lines.append(
        f"recomputed: {again.compared:,} rows of {again.shards:,} shards with {again.networks:,} "
        f"networks; lowest cosine {again.lowest_cosine:.7f}, largest relative error "
        f"{again.largest_error:.1e} (float32: at least {FULL.cosine}, at most {FULL.error}; lower "
        f"precision: {REDUCED.cosine}, {REDUCED.error})"
    )
    return lines


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines: names to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if 2 <= i <= 5 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
