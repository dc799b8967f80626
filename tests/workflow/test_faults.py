"""Bad input stops only what depends on it, with one error, and leaves nothing half-written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import polars as pl
import pytest
import torch
import yaml
from PIL import Image

from semasia.compat import import_timm
from semasia.latents import Shard

from conftest import clean_environment, workflow_command

Run = Callable[..., subprocess.CompletedProcess[str]]

MODEL = "lcnet_050.untrained_seed0"


def model_set(folder: Path, *more: dict[str, Any]) -> dict[str, str]:
    """Write a set of one small seeded network and whatever else; returns the `models` section."""
    seeded = {
        "name": MODEL,
        "architecture": "lcnet_050",
        "weights": {"source": "random", "seed": 0},
        "data_config": {"input_size": [3, 64, 64]},
    }
    path = folder / "models.yaml"
    path.write_text(yaml.safe_dump({"description": "a test", "models": [seeded, *more]}))
    return {"file": str(path)}


def benchmark(folder: Path, name: str, **changes: Any) -> dict[str, str]:
    """Write a benchmark of 12 coloured images in two class folders; returns its entry."""
    root = folder / name
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        for label in ("cat", "dog"):
            for i in range(6):
                path = root / split / label / f"{i}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                pixels = rng.integers(0, 256, (20, 20 + i, 3), np.uint8)
                Image.fromarray(pixels).save(path)
    card = {
        "name": name,
        "title": name,
        "source": {"kind": "folder", "path": str(root)},
        "splits": {"train": {"rows": 12}, "test": {"rows": 12}},
        "labels": {"label": {"names": ["cat", "dog"]}},
        "probe": {"fit": "train", "score": "test", "labels": ["label"]},
        "licence": "none",
        "citation": "none",
        **changes,
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(card))
    return {"name": name, "card": str(path)}


def half_written(results: Path) -> list[Path]:
    return [p for p in results.rglob("*") if ".tmp" in p.name]


def errors(done: subprocess.CompletedProcess[str], kind: str) -> list[str]:
    return [line for line in done.stderr.splitlines() if line.startswith(f"{kind}: ")]


def test_each_fault_stops_only_what_depends_on_it(tmp_path: Path, run_workflow: Run) -> None:
    saved = tmp_path / "saved"
    pixels = np.zeros((4, 8, 8), np.uint8)
    datasets.DatasetDict(
        {
            split: datasets.Dataset.from_dict(
                {"image": [Image.fromarray(p) for p in pixels], "tag": [0, 1, 0, 1]}
            ).cast_column("image", datasets.Image())
            for split in ("train", "test")
        }
    ).save_to_disk(saved)
    corrupt = tmp_path / "corrupt.safetensors"
    corrupt.write_bytes(os.urandom(5000))
    entries = [
        benchmark(tmp_path, "good"),
        benchmark(tmp_path, "unreadable"),
        benchmark(tmp_path, "short", splits={"train": {"rows": 13}, "test": {"rows": 12}}),
        benchmark(
            tmp_path,
            "unlabelled",
            source={"kind": "saved", "path": str(saved)},
            splits={"train": {"rows": 4}, "test": {"rows": 4}},
        ),
    ]
    (tmp_path / "unreadable" / "test" / "cat" / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    broken = {
        "name": "lcnet_050.broken",
        "architecture": "lcnet_050",
        "weights": {"source": "file", "path": str(corrupt)},
    }
    config = {"benchmarks": entries, "models": model_set(tmp_path, broken)}
    first = run_workflow(tmp_path, config)
    results = tmp_path / "results"
    assert first.returncode != 0

    (image,) = errors(first, "ImageError")
    assert "unreadable/test: image with id 3 cannot be decoded" in image
    (rows,) = errors(first, "RowCountError")
    assert "short/train: the source has 12 rows, but the card says 13" in rows
    assert "short.yaml" in rows
    columns = errors(first, "SourceError")
    assert len(columns) == 2  # one a split
    assert all("has no column 'label'; it has image, tag" in line for line in columns)
    weights = errors(first, "WeightsError")
    assert weights
    assert all(str(corrupt) in line for line in weights)
    assert "log: results/logs/extract/good/lcnet_050.broken" in first.stderr

    made = {str(p.relative_to(results / "latents")) for p in results.glob("latents/*/*/*.parquet")}
    assert made == {
        f"{name}/{MODEL}/{split}.parquet"
        for name, split in (
            ("good", "train"),
            ("good", "test"),
            ("unreadable", "train"),
            ("short", "test"),
        )
    }
    for path in results.glob("latents/*/*/*.parquet"):
        assert np.isfinite(Shard(path).embeddings()).all()
    assert not half_written(results)
    assert not (results / "inputs/unreadable/test.arrow").exists()
    log = (results / "logs/extract/good/lcnet_050.broken/test.log").read_text()
    assert "Traceback" in log
    record = json.loads((results / "failures/good/lcnet_050.broken/test.json").read_text())
    assert record["error"] == "WeightsError"
    assert str(corrupt) in record["message"]
    assert "targets failed" in first.stderr

    # The analyses went on with what is there, and say what is not.
    table = pl.read_parquet(results / "tables" / "geometry.parquet")
    assert {f"{r[0]}/{r[2]}/{r[1]}.parquet" for r in table.select(table.columns[:3]).rows()} == made
    assert table["probe_accuracy"].drop_nulls().len() == 1
    (unfitted,) = table.filter(pl.col("benchmark") == "short")["note"]
    assert unfitted == (
        "isotropy_spectral: 0, as 12 rows span 11 of 1280 dimensions. "
        "probe: no latents of split 'train' to fit it on."
    )
    page = (results / "pages" / "geometry.html").read_text()
    assert "12 of 16 targets are left out" in page
    assert "4 of 16 shards" in first.stderr

    # Sound weights and benchmarks end it: the model joins the table, the failure is forgotten.
    from safetensors.torch import save_file

    torch.manual_seed(1)
    save_file(import_timm().create_model("lcnet_050").state_dict(), corrupt)
    config["benchmarks"] = entries[:1]
    second = run_workflow(tmp_path, config)
    assert second.returncode == 0, second.stderr
    table = pl.read_parquet(results / "tables" / "geometry.parquet")
    assert table["model_name"].unique().sort().to_list() == ["lcnet_050.broken", MODEL]
    assert not list(results.glob("failures/good/*/*.json"))


WRONG = {
    "unknown key": (
        lambda c: c["models"].update(ony=["x"]), "unknown key `models.ony`. Did you mean only"),
    "unknown top-level key": (
        lambda c: c.update(benchmark=[]), "unknown key `benchmark`. Did you mean"),
    "unknown benchmark": (
        lambda c: c["benchmarks"].append({"name": "cifar11"}),
        "unknown benchmark 'cifar11': no card cifar11.yaml"),
    "unknown set": (
        lambda c: c["models"].update(set="dmo"), "unknown model set 'dmo'"),
    "unknown model": (
        lambda c: c["models"].update(only=["tf_efficientnet_lite0.in1"]),
        "unknown model 'tf_efficientnet_lite0.in1': it is not in the set 'demo'. Did you mean"),
    "a path as a model": (
        lambda c: c["models"].update(only=["../../etc/passwd"]),
        "unknown model '../../etc/passwd'"),
    "a path as a benchmark": (
        lambda c: c["benchmarks"].append({"name": "../x"}),
        "`benchmarks.1.name`: String should match"),
    "a cap of nothing": (
        lambda c: c["benchmarks"][0].update(rows={"train": 0}), "a cap is at least 1, found 0"),
    "a cap on an unknown split": (
        lambda c: c["benchmarks"][0].update(rows={"trian": 5}),
        "unknown split 'trian'; it has train, test"),
    "no models": (lambda c: c.pop("models"), "`models` is missing"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_configuration_stops_before_any_job(
    case: str, tmp_path: Path, repository: Path, run_workflow: Run
) -> None:
    config = yaml.safe_load((repository / "config" / "config.yaml").read_text())
    change, message = WRONG[case]
    change(config)
    done = run_workflow(tmp_path, config)
    assert done.returncode != 0
    assert message in done.stderr
    assert "config.yaml" in done.stderr or "registry" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("name", ["a/b", "..", "a b", "", "a\\b", ".hidden", "é", "a" * 121])
def test_a_model_set_with_an_unsafe_name_is_refused(
    name: str, tmp_path: Path, run_workflow: Run
) -> None:
    card = {"name": name, "architecture": "lcnet_050", "weights": {"source": "random", "seed": 0}}
    models = model_set(tmp_path, card)
    config = {"benchmarks": [benchmark(tmp_path, "good")], "models": models}
    done = run_workflow(tmp_path, config, "--dry-run")
    assert done.returncode != 0
    # A dry run logs to standard output.
    assert "cannot be a model name" in done.stdout
    assert "models.yaml" in done.stdout


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB, where mounting one is allowed."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_no_space_is_told_and_leaves_no_shard(
    tmp_path: Path, small_disk: Path, run_workflow: Run
) -> None:
    config = {
        "benchmarks": [{"name": "mnist_5k", "splits": ["test"]}],
        "models": model_set(tmp_path),
        "extract": {"batch_size": 32, "batches_per_part": 1},
        "pathvars": {"results": str(small_disk / "results"), "logs": str(tmp_path / "logs")},
    }
    # The shard alone: other jobs would race it for the space.
    shard = small_disk / "results" / "latents" / "mnist_5k" / MODEL / "test.parquet"
    done = run_workflow(tmp_path, config, "--", str(shard))
    assert done.returncode != 0
    (line,) = errors(done, "StorageError")
    assert "No space left on device" in line
    assert "Nothing half-written was left under that name" in line
    assert str(small_disk) in line
    assert not list(small_disk.glob("results/latents/*/*/*.parquet"))
    assert not half_written(small_disk)

    # More space, and the run goes on from its parts.
    parts = len(list(small_disk.rglob("rows-*.arrow")))
    assert parts
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    again = run_workflow(tmp_path, config)
    assert again.returncode == 0, again.stderr
    timings = pl.read_parquet(small_disk / "results/tables/timings.parquet")
    assert timings["rows_resumed"].item() == 32 * parts


def extracting(folder: Path) -> list[int]:
    """Return the processes that run an extraction script in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
            where = (process / "cwd").resolve()
        except OSError:
            continue
        if where == folder and any(part.endswith(b".extract.py") for part in command):
            found.append(int(process.name))
    return found


def test_a_terminated_job_saves_its_work(tmp_path: Path, run_workflow: Run) -> None:
    name = "tf_efficientnet_lite0.untrained_seed0"
    config = {
        "benchmarks": [{"name": "mnist_5k", "splits": ["train"], "rows": {"train": 400}}],
        "models": {"set": "demo", "only": [name]},
        "extract": {"batch_size": 4, "batches_per_part": 1000},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    folder = tmp_path / "results/latents/mnist_5k" / name
    process = subprocess.Popen(
        workflow_command(tmp_path, "--", f"results/latents/mnist_5k/{name}/train.parquet"),
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not list(folder.glob(".train.parts/*/plan.json")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.3)
    (job,) = extracting(tmp_path)
    os.kill(job, signal.SIGTERM)
    _, told = process.communicate(timeout=60)
    assert "asked to end by signal 15; the rows computed are kept" in told
    (part,) = folder.glob(".train.parts/*/rows-000000000-*.arrow")
    saved = int(part.name[15:24])
    assert 0 < saved < 400
    assert not (tmp_path / "results" / "failures").exists()
    resumed = run_workflow(tmp_path, config)
    assert resumed.returncode == 0, resumed.stderr
    timings = pl.read_parquet(tmp_path / "results/tables/timings.parquet")
    assert timings["rows_resumed"].item() == saved


def test_a_killed_run_continues_and_gives_the_same_bytes(tmp_path: Path, run_workflow: Run) -> None:
    config = {
        "benchmarks": [{"name": "mnist_5k", "rows": {"train": 96, "test": 10}}],
        "models": model_set(tmp_path),
        "extract": {"batch_size": 4, "batches_per_part": 1},
    }
    config["models"] = {"set": "demo", "only": ["tf_efficientnet_lite0.untrained_seed0"]}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert run_workflow(whole, config).returncode == 0

    killed.mkdir()
    (killed / "config.yaml").write_text(yaml.safe_dump(config))
    process = subprocess.Popen(
        workflow_command(killed),
        start_new_session=True,
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not list(killed.glob("results/latents/*/*/.train.parts/*/rows-*.arrow")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    shard = Path("results/latents/mnist_5k/tf_efficientnet_lite0.untrained_seed0/train.parquet")
    assert not (killed / shard).exists()

    run_workflow(killed, config, "--unlock")
    resumed = run_workflow(killed, config)
    assert resumed.returncode == 0, resumed.stderr
    assert (killed / shard).read_bytes() == (whole / shard).read_bytes()
    timings = pl.read_parquet(killed / "results/tables/timings.parquet")
    assert timings.filter(pl.col("split") == "train")["rows_resumed"].item() >= 4
