"""The built collection goes to the Hub by the workflow's rule, and by the command."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import yaml

from .place import Place
from .running import RunningHub

LATENTS = "tester/semasia-mnist_5k"
REGISTRY = "tester/semasia-registry"
Client = Callable[..., Any]


def test_the_rule_publishes_all_and_then_nothing(place: Place, hub: RunningHub) -> None:
    told = place.snakemake("publish")
    assert told.returncode == 0, told.stderr
    there = hub.files(LATENTS)
    places = {f"data/{p.parent.name}/{p.name}": p for p in place.shards()}
    assert len(places) == 10
    assert set(there) == {".gitattributes", "README.md", *places}
    for where, path in places.items():
        assert hub.read(LATENTS, where) == path.read_bytes()
    table = place.folder / "results" / "tables" / "registry.parquet"
    assert hub.read(REGISTRY, "data/registry.parquet") == table.read_bytes()
    [collection] = hub.collections()
    assert collection["title"] == "Semasia"
    assert {item["id"] for item in collection["items"]} == {LATENTS, REGISTRY}
    assert not hub.leaks()
    commits = [len(hub.commits(name)) for name in (LATENTS, REGISTRY)]
    hub.forget_requests()
    again = place.snakemake("publish")
    assert again.returncode == 0, again.stderr
    assert "0 files sent, 10 were there" in again.stderr
    # Nothing was read whole a second time either.
    assert "verify_shards" not in again.stderr
    assert not hub.bytes_received() and not hub.requests("commit")
    assert commits == [len(hub.commits(name)) for name in (LATENTS, REGISTRY)]


def test_a_dry_run_tells_what_would_be_sent_and_sends_nothing(
    place: Place, hub: RunningHub
) -> None:
    told = place.semasia("publish", "--dry-run", HF_TOKEN="")
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    sizes = {words[1]: int(words[0].replace(",", "")) for words in map(str.split, lines[:10])}
    assert sizes == {
        f"{LATENTS}/data/{p.parent.name}/{p.name}": p.stat().st_size for p in place.shards()
    }
    assert f"{LATENTS}: 11 files" in told.stdout and "it would be created" in told.stdout
    assert {record.method for record in hub.requests()} == {"GET"}


def test_only_sound_shards_of_free_licences_go(place: Place, hub: RunningHub) -> None:
    damaged, held = place.shards()[0], place.shards()[-1].parent.name
    values = bytearray(damaged.read_bytes())
    values[len(values) // 3] ^= 1
    damaged.unlink()
    damaged.write_bytes(values)
    licences = {
        path.parent.name: yaml.safe_load(pq.read_metadata(path).metadata[b"semasia"])["encoder"][
            "license"
        ]
        for path in place.shards()[1:]
    }
    place.config["hub"]["hold_back_licenses"] = [licences[held]]
    back = {name for name, licence in licences.items() if licence == licences[held]}
    assert back and back != set(licences)
    told = place.semasia("publish")
    assert told.returncode == 1, told.stderr
    assert f"not published: {damaged.relative_to(place.folder)}: " in told.stdout
    assert f"held back: mnist_5k {held} ({licences[held]})" in told.stdout
    there = {path for path in hub.files(LATENTS) if path.startswith("data/")}
    assert there == {
        f"data/{p.parent.name}/{p.name}" for p in place.shards()[1:] if p.parent.name not in back
    }
    card = hub.read(LATENTS, "README.md").decode()
    for name in back:
        assert f"`{name}` ({licences[name]})" in card
        assert f"data/{name}/" not in card


def test_no_token_is_written_anywhere(place: Place, hub: RunningHub) -> None:
    """After pushes that fail in three ways, by the rule and by the command."""
    texts = []
    for namespace, token in (
        ("tester", hub.expired_token),
        ("tester", hub.read_token),
        (hub.forbidden_namespace, hub.token),
    ):
        place.config["hub"]["namespace"] = namespace
        for told in (
            place.snakemake("publish", HF_TOKEN=token),
            place.semasia("publish", HF_TOKEN=token),
        ):
            assert told.returncode == 1, told.stderr
            assert "HubError: " in told.stderr
            texts += [told.stdout, told.stderr]
    hub.fail("xet_xorb", status=403, times=None)
    place.config["hub"]["namespace"] = "tester"
    told = place.snakemake("publish")
    assert told.returncode == 1
    texts += [told.stdout, told.stderr]
    tokens = [hub.token, hub.read_token, hub.expired_token]
    assert not [t for t in tokens for text in texts if t in text]
    for path in place.folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            assert not [t for t in tokens if t.encode() in content], path
    assert not hub.leaks()


def test_what_the_card_says_holds(place: Place, hub: RunningHub, client: Client) -> None:
    def load(repository: str, configs: list) -> dict:
        import datasets

        told = {}
        for name in configs:
            rows = datasets.load_dataset(repository, name, split="test")
            label, vector = rows.features["label"], rows.features["embedding"]
            told[name] = [rows.num_rows, type(label).__name__, vector.length, label.names[3]]
        return told

    assert place.semasia("publish").returncode == 0
    card = hub.read(LATENTS, "README.md").decode()
    _, front, body = card.split("---\n", 2)
    configs = yaml.safe_load(front)["configs"]
    models = sorted(p.name for p in place.folder.glob("results/latents/mnist_5k/*"))
    assert [c["config_name"] for c in configs] == models
    told = client(load, LATENTS, models)
    widths = {
        p.parent.name: pq.read_schema(p).field("embedding").type.list_size for p in place.shards()
    }
    assert told == {name: [30, "ClassLabel", widths[name], "3"] for name in models}
    registry = pl.read_parquet(place.folder / "results" / "tables" / "registry.parquet")
    for name, width in widths.items():
        [row] = [line for line in body.splitlines() if line.startswith(f"| `{name}` | ")]
        assert f" {width} " in row
    assert set(registry["model_name"]) == set(models)
    # Table 1's rows of this benchmark.
    assert "| train | 5 | 60 | 300 |" in body and "| test | 5 | 30 | 150 |" in body
    for what in ("datasets.load_dataset", "pl.scan_parquet", "DuckDB", "semasia.load", "arXiv:"):
        assert what in body
    assert re.search(r"0: 0, 1: 1", body)
