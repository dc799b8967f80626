"""A configuration resolved against the registry: cards, models and targets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from semasia.closed import read_yaml
from semasia.config.comparison import ALIGNMENT_METHODS
from semasia.config.schema import BenchmarkChoice, Config, Models, parse_config
from semasia.errors import ConfigError, did_you_mean
from semasia.filesystems import tells_case_apart
from semasia.inputs import BenchmarkCard, find_benchmark, load_benchmark
from semasia.registry import EncoderCard, load_model_set
from semasia.registry.selection import read_registry, select_models
from semasia.registry.sets import read_model_set


class Target(NamedTuple):
    """One shard to make."""

    benchmark: str
    model: str
    split: str


@dataclass(frozen=True)
class Collection:
    """What a run is to make.

    Attributes
    ----------
    config : Config
    benchmarks : dict of BenchmarkCard
        In the configuration's order, with the configured source.
    models : dict of EncoderCard
        In the set's order.
    """

    config: Config
    benchmarks: dict[str, BenchmarkCard]
    models: dict[str, EncoderCard]
    _choices: dict[str, BenchmarkChoice]

    @classmethod
    def load(cls, file: Path, registry: Path) -> Collection:
        """Read a configuration file and look up what it names; raises as :meth:`resolve`.

        Raises
        ------
        CardError
            If the file is missing or is no YAML.
        """
        return cls.resolve(parse_config(read_yaml(file), str(file)), registry, str(file))

    @classmethod
    def resolve(cls, config: Config, registry: Path, file: str) -> Collection:
        """Look up every card and model that a configuration names.

        Parameters
        ----------
        config : Config
        registry : Path
            The folder with ``benchmarks/`` and ``models/``.
        file : str
            The configuration's path, for messages.

        Raises
        ------
        ConfigError, CardError
            If a benchmark, split, model or label is unknown.
        """
        cards: dict[str, BenchmarkCard] = {}
        choices: dict[str, BenchmarkChoice] = {}
        for choice in config.benchmarks:
            if choice.name in cards:
                raise ConfigError(f"{file}: benchmark {choice.name!r} is listed twice.")
            cards[choice.name] = _card(choice, registry / "benchmarks", file)
            choices[choice.name] = choice
        models = _models(config.models, registry / "models", file, Path(config.results, "registry"))
        collection = cls(config, cards, models, choices)
        collection._check_repositories(file)
        collection._check_projection(file)
        collection._check_case(file)
        collection._check_comparison(file)
        return collection

    def splits(self, benchmark: str) -> tuple[str, ...]:
        """Return the splits of a benchmark that are built."""
        return self._choices[benchmark].splits or tuple(self.benchmarks[benchmark].splits)

    def cap(self, benchmark: str, split: str) -> int | None:
        """Return the configured number of rows, None for all."""
        return self._choices[benchmark].rows.get(split)

    def rows(self, benchmark: str, split: str) -> int:
        """Return the number of rows that are built."""
        whole = self.benchmarks[benchmark].splits[split].rows
        cap = self.cap(benchmark, split)
        return whole if cap is None else min(cap, whole)

    def targets(self) -> Iterator[Target]:
        """Yield every shard of the collection."""
        for benchmark in self.benchmarks:
            for model in self.models:
                for split in self.splits(benchmark):
                    yield Target(benchmark, model, split)

    def repository(self, benchmark: str) -> str:
        """Return the repository that a benchmark's latents are fetched from."""
        if named := self.config.latents.repos.get(benchmark):
            return named
        assert self.config.hub is not None, "checked where the collection was resolved"
        return self.config.hub.repository(benchmark)

    def block_of(self, model: str) -> int:
        """Return the analysis job a model belongs to.

        It depends on the name alone, so that adding a model changes one job of each split.
        """
        digest = hashlib.sha256(model.encode()).digest()
        return int.from_bytes(digest[:4], "big") % self.config.analysis.blocks

    def blocks(self) -> list[int]:
        """Return the analysis jobs that have models, ascending."""
        return sorted(self._models_of)

    def models_of(self, block: int) -> tuple[str, ...]:
        """Return the models of an analysis job, in the set's order; none for an unknown block."""
        return self._models_of.get(block, ())

    @cached_property
    def _models_of(self) -> dict[int, tuple[str, ...]]:
        # Asked for by every analysis job of tens of thousands: hashed once.
        found: dict[int, list[str]] = {}
        for model in self.models:
            found.setdefault(self.block_of(model), []).append(model)
        return {block: tuple(models) for block, models in found.items()}

    def compared_splits(self) -> tuple[str, str]:
        """Return the split that maps between latent spaces are fitted on, and that scored."""
        wanted = self.config.comparison
        assert wanted is not None, "a collection that compares"
        probe = self.benchmarks[wanted.benchmark].probe
        fit, score = wanted.fit or (probe and probe.fit), wanted.score or (probe and probe.score)
        return fit or self.splits(wanted.benchmark)[0], score or self.splits(wanted.benchmark)[-1]

    def _check_case(self, file: str) -> None:
        """Refuse names that would be one folder or file where the results are to lie."""
        splits = [self.splits(benchmark) for benchmark in self.benchmarks]
        for what, names in (
            ("benchmarks", self.benchmarks),
            ("models", self.models),
            *(("splits", names) for names in splits),
        ):
            known: dict[str, str] = {}
            for name in names:
                twin = known.setdefault(name.casefold(), name)
                if twin != name and not tells_case_apart(Path(self.config.results)):
                    raise ConfigError(
                        f"{file}: the {what} {twin!r} and {name!r} differ in case only, and the "
                        f"file system of {self.config.results} takes both for one. Rename one, or "
                        "let `pathvars.results` name a folder elsewhere."
                    )

    def _check_repositories(self, file: str) -> None:
        wanted = self.config.latents
        for name in wanted.repos:
            self._check_built(f"{file}: latents.repos", name, None)
        missing = [b for b in self.benchmarks if b not in wanted.repos]
        if wanted.source == "published" and missing and self.config.hub is None:
            raise ConfigError(
                f"{file}: latents.repos: benchmark {missing[0]!r} has no repository. Name one, or "
                "give `hub.namespace`."
            )

    def _check_comparison(self, file: str) -> None:
        wanted = self.config.comparison
        if wanted is None:
            return
        where = f"{file}: comparison"
        self._check_built(where, wanted.benchmark, None)
        for split in self.compared_splits():
            self._check_built(where, wanted.benchmark, split)
        fit, score = self.compared_splits()
        if fit == score and wanted.pairs:
            raise ConfigError(
                f"{where}: maps would be fitted and scored on the same rows, those of {fit!r}. "
                "Name two splits in `fit` and `score`, or no `pairs`."
            )
        if len(wanted.compared()) < 2:
            raise ConfigError(f"{where}: name `models` or `pairs` to compare.")
        self._check_models(where, wanted.compared())
        unknown = [m for m in wanted.methods if m not in ALIGNMENT_METHODS]
        if unknown:
            known = ", ".join(ALIGNMENT_METHODS)
            raise ConfigError(f"{where}: there is no method {unknown[0]!r} ({known}).")

    def _check_built(self, where: str, benchmark: str, split: str | None) -> None:
        if benchmark not in self.benchmarks:
            known = ", ".join(self.benchmarks)
            raise ConfigError(f"{where}: benchmark {benchmark!r} is not built ({known}).")
        splits = self.splits(benchmark)
        if split is not None and split not in splits:
            raise ConfigError(f"{where}: split {split!r} is not built ({', '.join(splits)}).")

    def _check_models(self, where: str, models: Iterable[str]) -> None:
        for model in models:
            if model not in self.models:
                near = did_you_mean(model, self.models)
                raise ConfigError(f"{where}: model {model!r} is not in the collection.{near}")

    def _check_projection(self, file: str) -> None:
        wanted = self.config.figures.projection
        if wanted is None:
            return
        where = f"{file}: figures.projection"
        self._check_built(where, wanted.benchmark, wanted.split)
        labels = self.benchmarks[wanted.benchmark].labels
        if wanted.label is not None and wanted.label not in labels:
            raise ConfigError(f"{where}: there is no label {wanted.label!r} ({', '.join(labels)}).")
        self._check_models(where, wanted.models)


def _card(choice: BenchmarkChoice, folder: Path, file: str) -> BenchmarkCard:
    if choice.card is not None:
        path = Path(choice.card)
        card = load_benchmark(path)
        if card.name != choice.name:
            raise ConfigError(f"{file}: {path} is the card of {card.name!r}, not {choice.name!r}.")
    else:
        card = load_benchmark(find_benchmark(choice.name, folder))
    if choice.source is not None:
        card = card.model_copy(update={"source": choice.source})
    for key, splits in (("splits", choice.splits or ()), ("rows", tuple(choice.rows))):
        for split in splits:
            if split not in card.splits:
                raise ConfigError(
                    f"{file}: benchmark {choice.name!r}, `{key}`: unknown split {split!r}; it has "
                    f"{', '.join(card.splits)}."
                )
    return card


def _models(models: Models, folder: Path, file: str, cache: Path) -> dict[str, EncoderCard]:
    if models.set is not None:
        cards = load_model_set(models.set, folder)
    else:
        cards = read_model_set(Path(str(models.file)))
    wanted = list(cards) if models.only is None else list(models.only)
    left_out = {e.model for e in models.exclude}
    where = models.set or models.file
    for name in (*wanted, *left_out):
        if name not in cards:
            raise ConfigError(
                f"{file}: unknown model {name!r}: it is not in the set {where!r}."
                f"{did_you_mean(name, cards)}"
            )
    if models.where is not None:
        built = read_registry(folder.parent)
        if models.file is not None:
            from semasia.registry.table import COLUMNS, collection_rows
            from semasia.tables import frame_of

            rows = collection_rows((cards[name] for name in wanted), folder.parent, cache)
            built = frame_of(rows, COLUMNS)
        wanted = select_models(built, models.where, wanted)
    chosen = {name: cards[name] for name in wanted if name not in left_out}
    if not chosen:
        raise ConfigError(
            f"{file}: no model is left after `models.only`, `models.where` and `models.exclude`."
        )
    return chosen
