"""A push of 1,697 models and `load_dataset` of one of them, by how the card names its files.

The server is that of the tests, on this machine, and all shards of a split have the same content:
what is measured is the client's own time, and how often it asks.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from tests.hub.running import RunningHub, running_hub

from benchmarks.synthetic import MODELS
from semasia.inputs import BenchmarkCard, load_benchmark
from semasia.latents.layouts import published_place
from semasia.latents.schema import FEATURES_KEY, shard_schema
from semasia.publishing.card import MARK, ModelFacts, SplitRows, card_text
from semasia.registry.sets import load_model_set

REGISTRY = Path(__file__).parents[1] / "registry"
_BENCHMARK, _SPLITS, _WIDTH = "cifar100", ("train", "test"), 512
_MODEL = "resnet18.a1_in1k"
_REPEATS = 3

_PUSH = """
import json, sys
from pathlib import Path
from huggingface_hub import HfApi
from semasia.config.hub import Hub
from semasia.hub import LocalFile, Retrying
from semasia.publishing.repositories import Wanted, publish
repository, folder, card = sys.argv[1:]
there = {p.stem: LocalFile.of("x", p) for p in Path(folder).glob("*.parquet")}
places = json.loads(Path(folder, "places.json").read_text())
files = tuple(
    LocalFile(place, f.source, f.size, f.sha256)
    for place in places
    for f in [there[Path(place).stem]]
)
hub = Hub(namespace=repository.split("/")[0])
text = Path(card).read_text(encoding="utf-8")
publish(HfApi(), hub, Wanted(repository, "Latents", files, lambda *_: text), Retrying())
"""
_LOAD = """
import sys, time
from datasets import ClassLabel, load_dataset
began = time.perf_counter()
rows = load_dataset(sys.argv[1], sys.argv[2], split="test")
print(time.perf_counter() - began)
assert isinstance(rows.features["fine_label"], ClassLabel), rows.features
assert rows.features["embedding"].length == 512, rows.features
assert len(rows) == 8
"""


def run() -> dict[str, Any]:
    """Push the real names once with our card, then load one model under other cards as well."""
    models = list(load_model_set("semasia-v1", REGISTRY / "models"))
    assert len(models) == MODELS and _MODEL in models
    benchmark = load_benchmark(REGISTRY / "benchmarks" / f"{_BENCHMARK}.yaml")
    places = [published_place(m, s) for m in models for s in _SPLITS]
    with tempfile.TemporaryDirectory() as name, running_hub(Path(name, "hub")) as hub:
        folder = Path(name, "files")
        folder.mkdir()
        schema = _write_shards(folder, benchmark)
        (folder / "places.json").write_text(json.dumps(places))
        repository = f"{hub.namespace}/semasia-{_BENCHMARK}"
        cards = {
            "ours": _ours(repository, benchmark, models),
            "dataset_info in the card": _with_info(repository, benchmark, models, schema),
            "data_dir": _by_folder(models),
        }
        pushed: dict[str, Any] = {}
        loaded: dict[str, Any] = {}
        for variant, text in cards.items():
            card = folder / "card.md"
            card.write_text(text, encoding="utf-8")
            arguments = (_PUSH, repository, str(folder), str(card))
            for turn in ("first", "again") if not pushed else ("card",):
                seconds, requests = _asked(hub, *arguments)
                pushed[turn] = {"seconds": round(seconds, 1), "requests": requests}
                print(f"push of {len(places):,} files, {turn}: {pushed[turn]}", flush=True)
            times = []
            for _ in range(_REPEATS if variant != "data_dir" else 1):
                times.append(_asked(hub, _LOAD, repository, _MODEL))
            loaded[variant] = {
                "card_bytes": len(text.encode()),
                "seconds": round(statistics.median(seconds for seconds, _ in times), 2),
                "requests": times[0][1],
            }
            print(f"{variant:26} {loaded[variant]}", flush=True)
    ours = loaded["ours"]["seconds"]
    return {
        "models": len(models),
        "files": len(places),
        "class_names": sum(len(c.names or ()) for c in benchmark.labels.values()),
        "push": pushed,
        "load": loaded,
        "ratios": {v: round(row["seconds"] / ours, 1) for v, row in loaded.items() if v != "ours"},
    }


def _write_shards(folder: Path, benchmark: BenchmarkCard) -> pa.Schema:
    names = {column: label.names for column, label in benchmark.labels.items()}
    schema = shard_schema(names, _WIDTH)
    rng = np.random.default_rng(0)
    for split in _SPLITS:
        values = pa.array(rng.standard_normal(8 * _WIDTH, dtype=np.float32))
        columns: list[Any] = [np.arange(8, dtype=np.uint32)]
        columns += [np.arange(8) for _ in names]
        columns += [["any"] * 8, pa.FixedSizeListArray.from_arrays(values, _WIDTH)]
        pq.write_table(pa.table(columns, schema=schema), folder / f"{split}.parquet")
    return schema


def _ours(repository: str, benchmark: BenchmarkCard, models: list[str]) -> str:
    places = [published_place(m, s) for m in models for s in _SPLITS]
    facts = {m: ModelFacts("apache-2.0", _WIDTH) for m in models}
    return card_text(
        repository, benchmark, places, dict.fromkeys(_SPLITS, SplitRows(8, 8)), facts, {}
    )


def _with_info(
    repository: str, benchmark: BenchmarkCard, models: list[str], schema: pa.Schema
) -> str:
    """Our card with the features of every configuration beside it, as `push_to_hub` writes them."""
    from datasets import Features

    front, rest = _ours(repository, benchmark, models).removeprefix("---\n").split("---\n", 1)
    head = yaml.load(front, yaml.CSafeLoader)
    features = json.loads((schema.metadata or {})[FEATURES_KEY])["info"]["features"]
    told = Features.from_dict(features)._to_yaml_list()
    head["dataset_info"] = [{"config_name": m, "features": told} for m in models]
    return f"---\n{yaml.dump(head, Dumper=_Plain, sort_keys=False, width=1000)}---\n{rest}"


def _by_folder(models: list[str]) -> str:
    """A card that names the folder of each model, from which files of splits are found."""
    configs = [{"config_name": m, "data_dir": f"data/{m}"} for m in models]
    head = yaml.dump({"configs": configs}, Dumper=_Plain, sort_keys=False)
    return f"---\n{head}---\n{MARK}\n"


class _Plain(yaml.CSafeDumper):
    """Writes what occurs twice twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _asked(hub: RunningHub, program: str, *arguments: str) -> tuple[float, int]:
    """Run a program as a client with an empty cache; return seconds and requests.

    The seconds are what it prints, or else those of the whole process.
    """
    hub.forget_requests()
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**hub.fresh_environment(), "PYTHONPATH": str(REGISTRY.parent)},
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return float(done.stdout.split()[-1]) if done.stdout else seconds, len(hub.requests())
