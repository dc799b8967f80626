"""What was published is read back: by us, by polars, and by a workflow without images."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import semasia
from semasia.audit import verify

from . import front
from .client import ClientError, call
from .place import Place
from .running import RunningHub

LATENTS = "tester/semasia-mnist_5k"
ROOT = f"hf://datasets/{LATENTS}"
A, B = "tf_efficientnet_lite0.in1k", "mobilenetv2_100.tonylins_in1k"
Client = Callable[..., Any]


def load(root: str, model: str, split: str) -> list:
    import semasia

    found = semasia.load("mnist_5k", model, split, root=root)
    return [
        found.embeddings.tolist(),
        found.ids.tolist(),
        found.labels["label"].tolist(),
        found.label_names["label"],
        found.provenance,
    ]


def scan(root: str, models: list, split: str) -> list:
    import polars as pl

    import semasia

    rows = semasia.scan(models=models, splits=split, root=root)
    few = rows.filter(pl.col("id") < 2000).select("model_name", "id", "embedding")
    return few.collect().sort("model_name", "id").rows()


def test_what_was_published_is_loaded(place: Place, hub: RunningHub, client: Client) -> None:
    assert place.semasia("publish").returncode == 0
    hub.forget_requests()
    local = semasia.load("mnist_5k", A, "test", root=place.folder / "results")
    vectors, ids, labels, names, provenance = client(load, ROOT, A, "test")
    np.testing.assert_array_equal(np.array(vectors, np.float32), local.embeddings)
    assert ids == local.ids.tolist() and labels == local.labels["label"].tolist()
    assert names == local.label_names["label"] and provenance == local.provenance
    # Nothing was listed, and the second time nothing is fetched.
    assert not hub.requests("tree")
    fetched = hub.bytes_sent("storage")
    client(load, ROOT, A, "test")
    assert hub.bytes_sent("storage") == fetched
    commit = hub.commits(LATENTS)[0].oid
    assert client(load, f"{ROOT}@{commit}", A, "test")[4] == provenance
    with pytest.raises(ClientError, match=f"no shard of 'tf_efficientnet_lite0.in1'.*{A}"):
        client(load, ROOT, "tf_efficientnet_lite0.in1", "test")
    with pytest.raises(ClientError, match="it has test, train"):
        client(load, ROOT, A, "validation")
    with pytest.raises(ClientError, match=r"HubError: .*Not Found.*the name of the repository"):
        client(load, "hf://datasets/tester/semasia-nothing", A, "test")


@pytest.mark.parametrize("way", ["the Hub's own name", "another endpoint"])
def test_models_are_queried_lazily(
    place: Place, hub: RunningHub, client: Client, tmp_path: Path, way: str
) -> None:
    assert place.semasia("publish").returncode == 0
    local = semasia.scan(models=[A, B], splits="test", root=place.folder / "results")
    few = local.filter(pl.col("id") < 2000).select("model_name", "id", "embedding")
    wanted = [[n, i, v] for n, i, v in few.collect().sort("model_name", "id").rows()]
    if way == "another endpoint":
        found = client(scan, ROOT, [A, B], "test")
    else:
        if reason := front.why_not():
            pytest.skip(reason)
        with front.true_name(hub, tmp_path / "certificates") as variables:
            environment = hub.fresh_environment(**variables)
            environment.pop("HF_ENDPOINT")
            found = call(scan, ROOT, [A, B], "test", environment=environment)
    assert found == json.loads(json.dumps(wanted))
    assert not hub.leaks()


def test_published_latents_are_analysed_without_an_image(place: Place, hub: RunningHub) -> None:
    assert place.semasia("publish").returncode == 0
    shards = {p.relative_to(place.folder): p.read_bytes() for p in place.shards()}
    elsewhere = Place(place.folder / "elsewhere", hub)
    elsewhere.folder.mkdir()
    elsewhere.config["latents"] = {"source": "published"}
    tables = [f"results/tables/{name}.parquet" for name in ("geometry", "similarity", "coverage")]
    told = elsewhere.snakemake(*tables)
    assert told.returncode == 0, told.stderr
    assert {p.relative_to(elsewhere.folder): p.read_bytes() for p in elsewhere.shards()} == shards
    assert not (elsewhere.folder / "results" / "inputs").exists()
    for name in ("geometry", "similarity"):
        table = Path("results", "tables", f"{name}.parquet")
        here, there = (pl.read_parquet(f / table) for f in (place.folder, elsewhere.folder))
        assert here.equals(there), name
    coverage = pl.read_parquet(elsewhere.folder / "results" / "tables" / "coverage.parquet")
    assert coverage["state"].to_list() == ["done"] * 10
    again = elsewhere.snakemake(*tables)
    assert "Nothing to be done" in again.stdout + again.stderr


def test_what_is_not_there_stops_only_itself(place: Place, hub: RunningHub) -> None:
    """One model was not published, the file of another is damaged on its way."""
    place.config["models"]["exclude"] = [{"model": B, "reason": "a test"}]
    place.config["comparison"] = None
    assert place.semasia("publish").returncode == 0
    elsewhere = Place(place.folder / "elsewhere", hub)
    elsewhere.folder.mkdir()
    elsewhere.config["comparison"] = None
    elsewhere.config["latents"] = {"source": "published", "repos": {"mnist_5k": LATENTS}}
    told = elsewhere.snakemake("shards")
    assert told.returncode == 1
    assert len(elsewhere.shards()) == 8
    assert f"there is no shard of '{B}', split 'test'; it has 4 models." in told.stderr
    record = elsewhere.folder / "results" / "failures" / "mnist_5k" / B / "test.json"
    assert json.loads(record.read_text())["error"] == "ShardError"
    # Nothing half-fetched lies beside them.
    left = [p for p in elsewhere.folder.glob("results/latents/*/*/*") if p.suffix != ".parquet"]
    assert not left


def test_other_rows_than_asked_for_are_refused(place: Place, hub: RunningHub) -> None:
    assert place.semasia("publish").returncode == 0
    elsewhere = Place(place.folder / "elsewhere", hub)
    elsewhere.folder.mkdir()
    elsewhere.config["benchmarks"][0]["rows"] = {"train": 60, "test": 29}
    elsewhere.config["comparison"] = None
    elsewhere.config["latents"] = {"source": "published"}
    told = elsewhere.snakemake(f"results/latents/mnist_5k/{A}/test.parquet")
    assert told.returncode == 1
    assert "30 rows were published, and the configuration asks for 29" in told.stderr
    assert not elsewhere.shards()


def push_folder(repository: str, folder: str) -> None:
    from huggingface_hub import HfApi

    HfApi().create_repo(repository, repo_type="dataset", exist_ok=True)
    HfApi().upload_folder(folder_path=folder, repo_id=repository, repo_type="dataset")


def test_the_original_layout_is_read_and_fetched(
    place: Place, hub: RunningHub, client: Client, tmp_path: Path
) -> None:
    """Its values come out the same, and analyses run on them."""
    for shard in place.shards():
        whole = pq.read_table(shard)
        vectors = whole["embedding"].combine_chunks().flatten()
        width = whole.schema.field("embedding").type.list_size
        offsets = pa.array(np.arange(len(whole) + 1) * width, pa.int32())
        plain = whole.drop_columns(["embedding"]).append_column(
            "embedding", pa.ListArray.from_arrays(offsets, vectors)
        )
        folder = tmp_path / "release" / shard.stem / shard.parent.name
        folder.mkdir(parents=True)
        for part, start in enumerate(range(0, len(plain), 25)):
            piece = plain.slice(start, 25).replace_schema_metadata(None)
            pq.write_table(piece, folder / f"part-{part:05d}.parquet")
    repository = "tester/released-mnist_5k"
    client(push_folder, repository, str(tmp_path / "release"))
    local = semasia.load("mnist_5k", A, "train", root=place.folder / "results")
    found = client(load, f"hf://datasets/{repository}", A, "train")
    np.testing.assert_array_equal(np.array(found[0], np.float32), local.embeddings)
    assert found[1] == local.ids.tolist() and found[3] is None
    assert len(client(scan, f"hf://datasets/{repository}", [A, B], "test")) > 0
    elsewhere = Place(place.folder / "elsewhere", hub)
    elsewhere.folder.mkdir()
    elsewhere.config["comparison"] = None
    elsewhere.config["latents"] = {"source": "published", "repos": {"mnist_5k": repository}}
    elsewhere.config["models"]["only"] = [A, B]
    elsewhere.config["figures"] = {}
    table = Path("results", "tables", "geometry.parquet")
    told = elsewhere.snakemake(str(table))
    assert told.returncode == 0, told.stderr
    for shard in elsewhere.shards():
        ours = place.folder / shard.relative_to(elsewhere.folder)
        assert pq.read_table(shard).equals(pq.read_table(ours))
    assert not verify([elsewhere.folder / "results"]).findings


def push_private(repository: str, folder: str) -> None:
    from huggingface_hub import HfApi

    HfApi().create_repo(repository, repo_type="dataset", private=True)
    HfApi().upload_folder(folder_path=folder, repo_id=repository, repo_type="dataset")


def test_a_private_repository_is_read_by_who_may(
    place: Place, hub: RunningHub, client: Client, tmp_path: Path
) -> None:
    """Its files lie in storage, which must never see a token, or with the endpoint itself."""
    repository = "tester/semasia-mnist_5k"
    for model in (A, B):
        folder = tmp_path / "release" / "data" / model
        folder.mkdir(parents=True)
        made = place.folder / "results" / "latents" / "mnist_5k" / model / "test.parquet"
        (folder / "test.parquet").write_bytes(made.read_bytes())
    client(push_private, repository, str(tmp_path / "release"))
    hub.forget_requests()
    local = semasia.scan(models=[A, B], splits="test", root=place.folder / "results")
    few = local.filter(pl.col("id") < 2000).select("model_name", "id", "embedding")
    wanted = [[n, i, v] for n, i, v in few.collect().sort("model_name", "id").rows()]
    assert client(scan, ROOT, [A, B], "test") == wanted
    assert hub.requests(host="storage") and not hub.leaks()
    for token in (hub.stranger_token, ""):
        elsewhere = hub.fresh_environment(token)
        for read in (scan, load):
            models = [A] if read is scan else A
            with pytest.raises(ClientError, match="name of the repository") as refused:
                call(read, ROOT, models, "test", environment=elsewhere)
            # It is no fault of the file, which nobody there could delete.
            assert refused.value.kind == "HubError" and "delete" not in str(refused.value)


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_mode_is_told_at_once(place: Place, hub: RunningHub, name: str) -> None:
    offline = hub.fresh_environment(**{name: "1"})
    for read, models in ((scan, [A]), (load, A)):
        began = time.monotonic()
        with pytest.raises(ClientError, match=f"{name}=1 is set in the environment") as told:
            call(read, ROOT, models, "test", environment=offline)
        assert told.value.kind == "HubUnreachableError"
        # The waits between attempts at a server that is down alone are longer.
        assert time.monotonic() - began < 30
    told = place.semasia("publish", **{name: "1"})
    assert told.returncode == 1
    assert f"{name}=1 is set in the environment" in told.stderr and "Traceback" not in told.stderr
    assert not hub.requests()
