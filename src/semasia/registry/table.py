"""The registry table: what identifier, network and timm's configuration say of each model."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from semasia import recipes
from semasia.errors import DamagedFileError
from semasia.files import read_record, whole_file
from semasia.registry.cards import EncoderCard, HubWeights
from semasia.registry.folder import folder_config
from semasia.registry.grammar import parse_identifier
from semasia.registry.paper_reading import PAPER_COLUMNS, paper_reading
from semasia.registry.parsed import ParsedIdentifier


def _parsed_columns() -> dict[str, type]:
    """Return the parsed columns and their types, as the dataclass declares them."""
    columns: dict[str, type] = {}
    for name, hint in typing.get_type_hints(ParsedIdentifier).items():
        options = [t for t in typing.get_args(hint) if t is not types.NoneType]
        columns[name] = options[0] if options else hint
    return columns


PARSED_COLUMNS: dict[str, type] = {k: v for k, v in _parsed_columns().items() if k != "unparsed"}

CAPACITY_COLUMNS: dict[str, type] = {
    "num_parameters": int,
    "num_backbone_parameters": int,
    "latent_dim": int,
    "flops": int,
    "capacity_note": str,
}

STATED_COLUMNS: dict[str, type] = {
    "license": str,
    "hub_id": str,
    "weights_url": str,
    "gated": bool,
    "native_resolution": int,
    "interpolation": str,
    "crop_pct": float,
    "crop_mode": str,
    "mean": str,
    "std": str,
    "num_classes": int,
    "timm_first_seen": str,
}

# Names and order of the table's columns.
COLUMNS: dict[str, type] = {
    **PARSED_COLUMNS,
    **CAPACITY_COLUMNS,
    **STATED_COLUMNS,
    **PAPER_COLUMNS,
    "unparsed": str,
    "architecture": str,
    "weights_source": str,
    "untrained": bool,
    "notes": str,
}


def registry_rows(
    cards: Iterable[EncoderCard],
    *,
    releases: Mapping[str, str],
    reading: Mapping[str, Mapping[str, str | None]],
    cache: Path | None = None,
    workers: int = 1,
    progress: Callable[[str, float], None] | None = None,
) -> list[dict[str, Any]]:
    """Return the registry's rows of some models, in their order.

    Parameters
    ----------
    cards : iterable of EncoderCard
    releases : mapping
        The first release of timm that lists an identifier (:func:`first_releases`).
    reading : mapping
        What the paper's authors read from a name (:func:`paper_reading`).
    cache : Path, optional
        Folder that keeps what was measured, so that a build can be resumed.
    workers : int
        Processes that build networks.
    progress : callable, optional
        Told (architecture, seconds) as each network is measured; 0 seconds for a cached one.
    """
    known = list(cards)
    groups = {_capacity_key(card): card for card in known}
    measured: dict[str, dict[str, Any]] = {}
    missing = []
    for key, card in groups.items():
        path = cache / f"{key}.json" if cache else None
        if path and (kept := _kept(path)) is not None:
            measured[key] = kept
            if progress:
                progress(card.name, 0.0)
        else:
            missing.append((key, card))
    for (key, card), (row, seconds) in zip(
        missing, _mapped(_measured, [c for _, c in missing], workers), strict=True
    ):
        measured[key] = row
        if cache:
            with whole_file(cache / f"{key}.json") as temporary:
                temporary.write_text(json.dumps(row), encoding="utf-8")
        if progress:
            progress(card.name, seconds)
    return [_row(card, measured[_capacity_key(card)], releases, reading) for card in known]


def first_releases(folder: Path) -> dict[str, str]:
    """Return the first release of timm that lists each identifier, from ``timm_releases.yaml``."""
    content = yaml.safe_load((folder / "timm_releases.yaml").read_text(encoding="utf-8"))
    return {name: release for release, names in content.items() for name in names}


def parsed_row(name: str, native_resolution: int | None) -> dict[str, Any]:
    """Return the columns that an identifier and its native resolution determine."""
    return dataclasses.asdict(parse_identifier(name, config_resolution=native_resolution))


def _row(
    card: EncoderCard,
    measured: Mapping[str, Any],
    releases: Mapping[str, str],
    reading: Mapping[str, Mapping[str, str | None]],
) -> dict[str, Any]:
    from semasia.registry.configuration import configuration_of

    stated = configuration_of(card)
    from_timm = isinstance(card.weights, HubWeights)
    return {
        **parsed_row(card.name, stated["native_resolution"]),
        **measured,
        **stated,
        "timm_first_seen": releases.get(card.name) if from_timm else None,
        **dict.fromkeys(PAPER_COLUMNS),
        **reading.get(card.name, {}),
        "architecture": card.architecture,
        "weights_source": card.weights.source,
        "untrained": card.is_control,
        "notes": card.notes,
    }


def _capacity_key(card: EncoderCard) -> str:
    """Return what a network's size depends on, as a file name.

    Checkpoints of one architecture differ in classes and input size, which timm takes from the tag.
    """
    from semasia.compat import import_timm

    timm = import_timm()
    stated = timm.get_pretrained_cfg(card.architecture, allow_unregistered=True)
    kept = ("num_classes", "input_size", "pool_size", "fixed_input_size", "first_conv")
    content = [
        timm.__version__,
        recipes.CAPACITY,
        card.architecture.split(".")[0],
        card.architecture_args,
        card.data_config.input_size,
        [getattr(stated, k, None) for k in kept],
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


def _measured(card: EncoderCard) -> tuple[dict[str, Any], float]:
    import time

    import torch

    from semasia.registry.capacity import measure_capacity

    torch.set_num_threads(1)
    began = time.perf_counter()
    row = dataclasses.asdict(measure_capacity(card))
    return row, time.perf_counter() - began


def _mapped(
    function: Callable[[EncoderCard], Any], cards: list[EncoderCard], workers: int
) -> Iterable[Any]:
    if workers <= 1 or len(cards) <= 1:
        yield from map(function, cards)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(function, cards, chunksize=4)


def collection_rows(
    cards: Iterable[EncoderCard], folder: Path, cache: Path | None = None
) -> list[dict[str, Any]]:
    """Return the registry's rows of a collection's models.

    timm's own checkpoints are looked up in the built table; local ones are measured.

    Parameters
    ----------
    cards : iterable of EncoderCard
    folder : Path
        The registry's folder, with ``registry.parquet``.
    cache : Path, optional
        Folder that keeps the rows of local models, so that each is measured once.
    """
    from semasia.registry.selection import read_registry

    built = {row["model_name"]: row for row in read_registry(folder).iter_rows(named=True)}
    rows = []
    for card in cards:
        if card == EncoderCard.of_timm(card.name) and card.name in built:
            rows.append(built[card.name])
        else:
            rows.append(_local_row(card, folder, cache))
    return rows


def _local_row(card: EncoderCard, folder: Path, cache: Path | None) -> dict[str, Any]:
    version = importlib.metadata.version("timm")
    stated = folder_config(card)
    known = dataclasses.asdict(stated) if stated else None
    said = card.model_dump(mode="json", exclude_defaults=True)
    content = json.dumps([version, recipes.REGISTRY, said, known])
    digest = hashlib.sha256(content.encode()).hexdigest()[:32]
    path = cache / "models" / f"{digest}.json" if cache else None
    if path and (kept := _kept(path)) is not None:
        return kept
    (row,) = registry_rows([card], releases=first_releases(folder), reading=paper_reading(folder))
    if path:
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(row), encoding="utf-8")
    return row


def _kept(path: Path) -> dict[str, Any] | None:
    """Return a row that was kept; None if there is none, or it is damaged and is made again."""
    try:
        return read_record(path)
    except DamagedFileError:
        return None


def built_cards(sets: Iterable[Mapping[str, EncoderCard]]) -> list[EncoderCard]:
    """Return the models of the built table: every name of the sets once, timm's own cards first.

    A set may give a timm identifier other weights (a copy in a package); the table then describes
    timm's own checkpoint of that name.
    """
    cards: dict[str, EncoderCard] = {}
    for known in sets:
        for name, card in known.items():
            if name not in cards or card == EncoderCard.of_timm(name):
                cards[name] = card
    return list(cards.values())
