"""The card of a published benchmark: README.md of its dataset repository."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import yaml

from semasia.inputs import BenchmarkCard
from semasia.latents.layouts import arranged, published_place

# Says that this program wrote a card, and may write it anew.
MARK = "<!-- Written by Semasia; changes are overwritten by the next push. -->"
# Class names are in every file; a card lists them while they are few.
_NAMES_SHOWN = 20
PAPER = (
    "M. E. Pandolfo, E. Grimaldi, L. Marinucci, L. Di Nino, S. Fiorellino, S. Barbarossa, "
    "P. Di Lorenzo. Semasia: A Large-Scale Dataset of Semantically Structured Latent "
    "Representations. [arXiv:2605.09485](https://arxiv.org/abs/2605.09485), 2026."
)


_ROW = re.compile(r"\| `(?P<model>[^`]+)` \| (?P<width>\d+) \| (?P<licence>[^|]+) \|")


class SplitRows(NamedTuple):
    """Rows of a split: those that shards have, and those of the whole split."""

    rows: int
    whole: int


class ModelFacts(NamedTuple):
    """What a card says of a model; None where it is not known."""

    licence: str | None
    width: int | None


REGISTRY_PLACE = "data/registry.parquet"


def published(places: Iterable[str]) -> dict[str, list[str]]:
    """Return the splits of every model whose shards are among files of a repository."""
    found: dict[str, list[str]] = {}
    for (model, split), files in arranged(places).items():
        if not files.released:
            found.setdefault(model, []).append(split)
    return found


def facts_of(card: str) -> dict[str, ModelFacts]:
    """Return what a card of ours says of its models, by name."""
    return {
        known["model"]: ModelFacts(known["licence"], int(known["width"]))
        for known in _ROW.finditer(card)
    }


def card_text(
    repository: str,
    benchmark: BenchmarkCard,
    places: Iterable[str],
    splits: Mapping[str, SplitRows],
    facts: Mapping[str, ModelFacts],
    held_back: Mapping[str, str],
) -> str:
    """Return the card of a repository that holds some shards.

    Parameters
    ----------
    repository : str
        ``namespace/name``.
    benchmark : BenchmarkCard
    places : iterable of str
        All files of the repository: no other is named.
    splits : mapping of SplitRows
        Rows of each split, of those too that only the repository has.
    facts : mapping of ModelFacts
        By model; of one that is there and not here, what an earlier card said is handed in.
    held_back : mapping of str
        Models that are not to be published, with the licence of their weights. One whose shards
        are there nevertheless is not said to be held back.
    """
    models = published(places)
    configs = [
        {
            "config_name": model,
            "data_files": [
                {"split": split, "path": published_place(model, split)} for split in splits
            ],
        }
        for model, splits in models.items()
    ]
    front = {
        "pretty_name": f"Semasia: latents of {benchmark.title}",
        "license": "other",
        "license_name": "see-below",
        "tags": ["semasia", "latent-representations", "timm"],
        "configs": configs,
    }
    head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=1000)
    parts = [
        f"---\n{head}---\n{MARK}\n\n# Latents of {benchmark.title}",
        _what(benchmark, len(models)),
        _splits(models, splits),
        _columns(benchmark),
        _loading(benchmark.name, repository, models),
        _licences(benchmark, models, facts, held_back),
        _limits(),
        _citation(benchmark),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def registry_card_text(repository: str, columns: Sequence[str], rows: int) -> str:
    """Return the card of the registry's repository.

    Parameters
    ----------
    repository : str
    columns : sequence of str
        Of the table.
    rows : int
        One per model.
    """
    front = {
        "pretty_name": "Semasia: registry of models",
        "license": "other",
        "license_name": "see-below",
        "tags": ["semasia", "timm"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": "train", "path": REGISTRY_PLACE}],
            }
        ],
    }
    head = yaml.safe_dump(front, sort_keys=False, width=1000)
    named = ", ".join(f"`{column}`" for column in columns)
    return f"""---
{head}---
{MARK}

# Registry of models

One row for each of {rows:,} models, `model_name` being the key: what the identifier says (family,
architecture, pretraining), what the network has (parameters, width of the embedding, operations of
a forward pass of one image), and what timm states of the weights (licence, preprocessing). It joins
to the `model_name` of Semasia's latents.

Columns: {named}.

```python
import polars as pl

models = pl.read_parquet("hf://datasets/{repository}/{REGISTRY_PLACE}")
```

Facts about models are their publishers'; each model's weights have the licence in `license`.

## Citation

{PAPER}
"""


def _what(benchmark: BenchmarkCard, models: int) -> str:
    home = f" ([source]({benchmark.homepage}))" if benchmark.homepage else ""
    return (
        f"Embeddings of the images of {benchmark.title}{home} by {models:,} "
        f"model{'s' * (models != 1)}: for each the vector before the head, "
        "`forward_head(forward_features(x), pre_logits=True)`, in evaluation mode, from the images "
        "as the model's own preprocessing takes them. One Parquet file for each model and split. "
        "The row with one `id` is the same image in every model's file. Each file carries under "
        "the key `semasia` of its metadata what decided its values: source and fingerprint of the "
        "images, weights by digest, preprocessing, precision, versions."
    )


def _splits(models: Mapping[str, Sequence[str]], splits: Mapping[str, SplitRows]) -> str:
    counts = {split: sum(split in found for found in models.values()) for split in splits}
    lines = [
        f"| {split} | {counts[split]:,} | {number:,} | {counts[split] * number:,} |"
        for split, (number, _) in splits.items()
    ]
    capped = [
        f"Of {split}, {number:,} of {whole:,} images: a fixed choice that is the same for all "
        "models."
        for split, (number, whole) in splits.items()
        if number < whole
    ]
    table = ["| Split | models | examples | rows |", "| --- | --- | --- | --- |", *lines]
    return "\n".join(["## Splits", "", *table, *(["", *capped] if capped else [])])


def _columns(benchmark: BenchmarkCard) -> str:
    lines = ["| `id` | uint32 | position of the image in its source split |"]
    for column, label in benchmark.labels.items():
        meaning = "−1 where the source withholds it" if not label.names else "class"
        if label.names and len(label.names) <= _NAMES_SHOWN:
            meaning = ", ".join(f"{i}: {name}" for i, name in enumerate(label.names))
        elif label.names:
            meaning = f"one of {len(label.names)} classes, named in every file"
        lines.append(f"| `{column}` | int64 | {meaning} |")
    lines += [
        "| `model_name` | string | the model |",
        "| `embedding` | float32[d] | d differs between models, see below |",
    ]
    return "\n".join(
        ["## Columns", "", "| Column | Type | Meaning |", "| --- | --- | --- |", *lines]
    )


def _loading(benchmark: str, repository: str, models: Mapping[str, Sequence[str]]) -> str:
    if not models:
        return "## Loading\n\nNo model is published yet."
    model, splits = next(iter(models.items()))
    split = "test" if "test" in splits else splits[0]
    path = f"hf://datasets/{repository}/{published_place(model, split)}"
    return f"""## Loading

```python
import datasets

rows = datasets.load_dataset("{repository}", "{model}", split="{split}")
```

```python
import polars as pl

rows = pl.scan_parquet("{path}")
```

```python
import semasia  # checks ids, labels and values against the file's provenance

latents = semasia.load("{benchmark}", "{model}", "{split}", root="hf://datasets/{repository}")
```

```sql
-- DuckDB
SELECT id, embedding FROM '{path}' LIMIT 100;
```"""


def _licences(
    benchmark: BenchmarkCard,
    models: Mapping[str, Sequence[str]],
    facts: Mapping[str, ModelFacts],
    held_back: Mapping[str, str],
) -> str:
    unknown = ModelFacts(None, None)
    lines = [
        f"| `{model}` | {facts.get(model, unknown).width or 'not known'} "
        f"| {facts.get(model, unknown).licence or 'not stated'} |"
        for model in models
    ]
    text = [
        "## Models and licences",
        "",
        f"The images: {benchmark.licence.strip()}. An embedding is computed from them with a "
        "model's weights, whose licence, as their publisher states it, is in the table.",
        "",
        "| Model | d | Licence of the weights |",
        "| --- | --- | --- |",
        *lines,
    ]
    if absent := {model: held_back[model] for model in sorted(held_back) if model not in models}:
        named = ", ".join(f"`{model}` ({licence})" for model, licence in absent.items())
        text += ["", f"Held back for the licence of their weights: {named}."]
    return "\n".join(text)


def _limits() -> str:
    return """## Known limits

Embeddings of one model computed on other hardware or with other batch sizes differ in the last bits
of float32. Images are resized to each model's own input size: what is small in the source, such as
28 × 28 digits, is enlarged. The models were trained on natural images for the most part."""


def _citation(benchmark: BenchmarkCard) -> str:
    source = " ".join(benchmark.citation.split())
    return f"## Citation\n\nThe dataset: {PAPER}\n\nThe images: {source}"
