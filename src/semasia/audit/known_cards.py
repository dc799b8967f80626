"""Find the card that a shard's network can be built from again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from semasia.config import Collection
from semasia.errors import CardError
from semasia.registry import EncoderCard
from semasia.registry.sets import read_model_set


class KnownCards:
    """The cards of a configuration, of timm, and of the registry's model sets, in this order.

    Parameters
    ----------
    config : Path, optional
        A configuration; its collection's cards come first.
    registry : Path, optional
        Folder with ``models/*.yaml``.

    Raises
    ------
    ConfigError, CardError
        If the configuration is given and cannot be resolved.
    """

    def __init__(self, config: Path | None, registry: Path | None) -> None:
        self._registry = registry
        self._configured: dict[str, EncoderCard] = {}
        if config is not None:
            self._configured = Collection.load(config, registry or Path("registry")).models

    def of(self, encoder: Mapping[str, Any]) -> EncoderCard:
        """Return the card of a network by the section ``encoder`` of provenance.

        Raises
        ------
        CardError
            If there is none; the message says where it was looked for.
        """
        name = encoder["model_name"]
        if name in self._configured:
            return self._configured[name]
        source = (encoder.get("weights") or {}).get("source")
        architecture = encoder.get("architecture") or name
        if source == "hub":
            try:
                return EncoderCard(
                    name=name,
                    architecture=architecture,
                    architecture_args=encoder.get("architecture_args") or {},
                )
            except ValidationError as error:
                raise CardError(f"provenance names no network of timm ({error})") from error
        for card in self._listed:
            if (card.name, card.architecture, card.weights.source) == (name, architecture, source):
                return card
        where = self._registry / "models" if self._registry else "a registry (none is at hand)"
        raise CardError(
            f"its weights are {source or 'of unstated origin'}, and no card of that name, "
            f"architecture and source is in {where}; give --config with one that has it"
        )

    @cached_property
    def _listed(self) -> list[EncoderCard]:
        if self._registry is None:
            return []
        files = sorted((self._registry / "models").glob("*.yaml"))
        return [card for file in files for card in read_model_set(file).values()]
