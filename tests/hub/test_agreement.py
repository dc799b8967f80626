"""What a repository holds, and what may stand beside it, replace it, or be taken out of it."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
import yaml

from .place import Place
from .running import RunningHub
from unit.audit.making import rewritten

LATENTS = "tester/semasia-mnist_5k"
REGISTRY = "tester/semasia-registry"


def models_of(place: Place) -> list[str]:
    return sorted({path.parent.name for path in place.shards()})


def take(place: Place, *models: str) -> None:
    """Let the place's collection, and its table of models, be of these models alone."""
    place.config["models"] = {**place.config["models"], "only": list(models)}
    for of_all in ("comparison", "figures"):
        place.config.pop(of_all, None)
    table = place.folder / "results" / "tables" / "registry.parquet"
    frame = pl.read_parquet(table)
    table.unlink()
    frame.filter(pl.col("model_name").is_in(models)).write_parquet(table)


def rewrite(path: Path, **how: Any) -> None:
    """Change a shard that is a link to another collection's, of inputs that are not at hand."""
    shutil.rmtree(path.parents[3] / "inputs", ignore_errors=True)
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    rewritten(path, seal=True, **how)


def fewer_rows(place: Place, model: str) -> str:
    def said(provenance: dict) -> None:
        provenance["benchmark"]["rows"] = 20

    path = place.folder / "results" / "latents" / "mnist_5k" / model / "test.parquet"
    rewrite(path, change=lambda table: table.slice(0, 20), provenance=said)
    place.config["benchmarks"][0]["rows"]["test"] = 20
    return "rows: 30 in "


def other_images(place: Place, model: str) -> str:
    def said(provenance: dict) -> None:
        provenance["benchmark"]["fingerprint"] = "0" * 64

    path = place.folder / "results" / "latents" / "mnist_5k" / model / "test.parquet"
    rewrite(path, provenance=said)
    return "fingerprint of images: "


def another_choice(place: Place, model: str) -> str:
    def said(provenance: dict) -> None:
        provenance["benchmark"]["selection"] = None

    path = place.folder / "results" / "latents" / "mnist_5k" / model / "test.parquet"
    rewrite(path, provenance=said)
    return "selection of rows: "


@pytest.fixture
def registry_there(hub: RunningHub) -> Callable[[], pl.DataFrame]:
    def read() -> pl.DataFrame:
        return pl.read_parquet(io.BytesIO(hub.read(REGISTRY, "data/registry.parquet")))

    return read


@pytest.mark.parametrize("other", [fewer_rows, other_images, another_choice])
def test_other_rows_than_a_repository_holds_are_refused(
    other: Callable[[Place, str], str], place: Place, hub: RunningHub
) -> None:
    first, second, *_ = models_of(place)
    take(place, first)
    assert place.semasia("publish").returncode == 0
    there = hub.files(LATENTS)
    commits = len(hub.commits(LATENTS))
    take(place, second)
    told = other(place, second)
    done = place.semasia("publish")
    assert done.returncode == 1
    assert f"{LATENTS}: split 'test' is there with other rows or labels" in done.stderr
    assert told in done.stderr and "Nothing was sent" in done.stderr
    assert hub.files(LATENTS) == there and len(hub.commits(LATENTS)) == commits


def test_collections_of_one_namespace_share_a_registry(
    place: Place, hub: RunningHub, registry_there: Callable[[], pl.DataFrame]
) -> None:
    table = place.folder / "results" / "tables" / "registry.parquet"
    whole = pl.read_parquet(table)
    first, second, third, *_ = models_of(place)
    take(place, first, second)
    assert place.semasia("publish").returncode == 0
    whole.write_parquet(table)
    take(place, third)
    assert place.semasia("publish").returncode == 0
    assert registry_there()["model_name"].to_list() == [first, second, third]
    expected = whole.filter(pl.col("model_name").is_in([first, second, third]))
    assert registry_there().equals(expected.sort("model_name"))
    card = hub.read(LATENTS, "README.md").decode()
    assert all(f"`{model}`" in card for model in (first, second, third))
    hub.forget_requests()
    again = place.semasia("publish")
    assert again.returncode == 0 and not hub.requests("commit")


def test_a_model_is_withdrawn_and_no_other(
    place: Place, hub: RunningHub, registry_there: Callable[[], pl.DataFrame]
) -> None:
    gone, *rest = models_of(place)
    assert place.semasia("publish").returncode == 0
    shard = next(p for p in place.shards() if p.parent.name == gone)
    said = yaml.safe_load(pq.read_metadata(shard).metadata[b"semasia"])
    place.config["hub"]["hold_back_licenses"] = [said["encoder"]["license"]]
    told = place.semasia("publish")
    assert f"held back, but still served: mnist_5k {gone}" in told.stdout
    assert f"--withdraw {gone}" in told.stdout
    assert f"data/{gone}/test.parquet" in hub.files(LATENTS)
    place.config["hub"].pop("hold_back_licenses")
    planned = place.semasia("publish", "--withdraw", gone, "--dry-run")
    assert planned.returncode == 0
    assert f"{LATENTS}/data/{gone}/test.parquet: would be deleted" in planned.stdout
    assert f"data/{gone}/test.parquet" in hub.files(LATENTS)
    before = set(hub.files(LATENTS))
    done = place.semasia("publish", "--withdraw", gone)
    assert done.returncode == 0, done.stderr
    assert before - set(hub.files(LATENTS)) == {
        f"data/{gone}/{s}.parquet" for s in ("train", "test")
    }
    card = hub.read(LATENTS, "README.md").decode()
    assert f"`{gone}`" not in card and all(f"`{model}`" in card for model in rest)
    assert registry_there()["model_name"].to_list() == rest
    again = place.semasia("publish", "--withdraw", gone)
    assert again.returncode == 1
    assert f"holds no shard of {gone!r}" in again.stderr
