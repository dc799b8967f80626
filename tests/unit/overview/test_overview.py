"""The bill of the paper's collection, and the states of targets made by hand."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

import polars as pl
import pytest
import yaml

from semasia.cli import main
from semasia.config import Collection, parse_config
from semasia.overview import bill_frame, costs_of, coverage_frame, coverage_lines, states_of
from semasia.overview.bill import device_for, size_text
from semasia.overview.speed import Speed, speed_of_timings

# Semasia, Table 1: examples and rows of each split.
TABLE_1 = {
    "celeba/train": (100_000, 169_700_000),
    "celeba/valid": (19_867, 33_714_299),
    "celeba/test": (19_962, 33_875_514),
    "cifar10/train": (50_000, 84_850_000),
    "cifar10/test": (10_000, 16_970_000),
    "cifar100/train": (50_000, 84_850_000),
    "cifar100/test": (10_000, 16_970_000),
    "fashion_mnist/train": (60_000, 101_820_000),
    "fashion_mnist/test": (10_000, 16_970_000),
    "mnist/train": (60_000, 101_820_000),
    "mnist/test": (10_000, 16_970_000),
    "oxford_flowers/train": (7_169, 12_180_131),
    "oxford_flowers/test": (1_020, 1_732_980),
    "tiny_imagenet/train": (100_000, 169_700_000),
    "tiny_imagenet/valid": (10_000, 16_970_000),
    "imagenet_1k/validation": (50_000, 84_850_000),
    "imagenet_1k/test": (100_000, 169_700_000),
}
# Where the paper is not right: docs/plan.md.
OTHERWISE = {
    "celeba/train": (162_770, 162_770 * 1697),
    "oxford_flowers/train": (7_169, 7_169 * 1697),
    "oxford_flowers/test": (1_020, 1_020 * 1697),
}


@pytest.fixture(scope="module")
def whole(repository: Path) -> Collection:
    content = yaml.safe_load((repository / "config" / "semasia.yaml").read_text())
    return Collection.resolve(parse_config(content, "semasia.yaml"), repository / "registry", "")


@pytest.fixture(scope="module")
def bill(whole: Collection, repository: Path) -> pl.DataFrame:
    costs = costs_of(whole, repository / "registry", None)
    return bill_frame(whole, costs, Path("nowhere"), None)


def test_table_1_is_reproduced_where_it_is_right(bill: pl.DataFrame) -> None:
    found = {
        f"{row['benchmark']}/{row['split']}": (row["examples"], row["rows"])
        for row in bill.iter_rows(named=True)
    }
    assert found == {**TABLE_1, **OTHERWISE}
    assert set(bill["models"]) == {1697}
    # The two rows of Oxford Flowers count 1,699 models.
    for split in ("oxford_flowers/train", "oxford_flowers/test"):
        assert TABLE_1[split][1] == TABLE_1[split][0] * 1699


def test_the_bill_is_the_sum_over_models(
    whole: Collection, bill: pl.DataFrame, repository: Path
) -> None:
    table = pl.read_parquet(repository / "registry" / "registry.parquet")
    models = table.filter(pl.col("model_name").is_in(list(whole.models)))
    row = bill.filter((pl.col("benchmark") == "cifar10") & (pl.col("split") == "test"))
    assert row["flops"].item() == pytest.approx(float(models["flops"].sum()) * 10_000, rel=1e-12)
    assert row["bytes"].item() == (int(models["latent_dim"].sum()) * 4 + 1697 * 12) * 10_000
    assert bill["models_unmeasured"].sum() == 0
    # 6.4 TB of float32 vectors, and the labels.
    vectors = int(models["latent_dim"].sum()) * 4 * bill["examples"].sum()
    assert vectors == pytest.approx(6.4e12, rel=0.02)
    assert bill["examples"].sum() == 730_788
    assert bill["hours"].null_count() == len(bill)


def test_hours_come_from_what_was_measured(whole: Collection, repository: Path) -> None:
    costs = costs_of(whole, repository / "registry", None)
    slow = next(iter(whole.models))
    speed = Speed(1e12, "made up", {slow: 3600.0})
    bill = bill_frame(whole, costs, Path("nowhere"), speed)
    row = bill.filter((pl.col("benchmark") == "mnist") & (pl.col("split") == "test"))
    others = sum(c.flops or 0 for m, c in costs.items() if m != slow)
    assert row["hours"].item() == pytest.approx((3600 + others / 1e12) * 10_000 / 3600)
    assert row["hours_left"].item() == row["hours"].item()


def test_speed_is_learned_from_timings(tmp_path: Path) -> None:
    assert speed_of_timings(tmp_path, {}) is None
    for model, rate, device, rows in (
        ("a", 100.0, "cuda", 500),
        ("b", 50.0, "cuda", 500),
        ("c", 1.0, "cpu", 10),
    ):
        path = tmp_path / "timings" / "x" / model / "test.json"
        path.parent.mkdir(parents=True)
        row = {"model_name": model, "images_per_second": rate, "device": device, "rows": rows}
        path.write_text(json.dumps(row))
    for i, bad in enumerate(
        ("{half", "[]", "3", "{}", '{"images_per_second": "x", "device": "cuda"}', "null")
    ):
        (tmp_path / f"timings/x/a/bad{i}.json").write_text(bad)
    for rate in ("null", "-3", "NaN", "1e400"):
        bad = f'{{"images_per_second": {rate}, "device": "cuda", "model_name": "a", "rows": 5}}'
        (tmp_path / f"timings/x/a/rate{rate}.json").write_text(bad)
    speed = speed_of_timings(tmp_path, {"a": 10, "b": 40, "c": 5})
    assert speed is not None
    assert speed.measured == {"a": 0.01, "b": 0.02}
    assert speed.flops_per_second == 1500
    assert speed.seconds_per_image("unknown", 3000) == 2
    assert "2 extractions of 2 models made on cuda" in speed.source


def test_sizes() -> None:
    assert [size_text(x) for x in (5, 1500, 6.4e12)] == ["5 B", "1.5 kB", "6.4 TB"]
    assert device_for(86_000_000) == 8
    assert device_for(6_700_000_000) == 40
    assert device_for(10**12) == 141


@pytest.fixture
def small(tmp_path: Path, repository: Path) -> tuple[Collection, Path]:
    """Six targets: done, failed, begun, running (held by this test), and two not started."""
    config = {
        "benchmarks": [{"name": "mnist_5k", "rows": {"train": 100, "test": 40}}],
        "models": {
            "set": "demo",
            "only": [f"tf_efficientnet_lite{i}.in1k" for i in (0, 1, 2)],
        },
        "pathvars": {"results": str(tmp_path / "results")},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    collection = Collection.resolve(parse_config(config, "c"), repository / "registry", "c")
    latents = tmp_path / "results" / "latents" / "mnist_5k"
    zero, one = (latents / f"tf_efficientnet_lite{i}.in1k" for i in (0, 1))
    for folder in (zero, one):
        folder.mkdir(parents=True)
    (zero / "train.parquet").write_bytes(b"x")
    parts = zero / ".test.parts"
    for key, stop in (("a", 8), ("b", 24)):
        (parts / key).mkdir(parents=True)
        (parts / key / f"rows-000000000-{stop:09d}.0123456789abcdef.arrow").write_bytes(b"x")
    (one / ".train.lock").write_bytes(b"")
    (one / ".test.lock").write_bytes(b"")
    failures = tmp_path / "results/failures/mnist_5k/tf_efficientnet_lite1.in1k"
    failures.mkdir(parents=True)
    record = {"error": "WeightsError", "message": "gated", "log": "logs/x.log"}
    (failures / "test.json").write_text(json.dumps(record))
    return collection, tmp_path


def test_states(small: tuple[Collection, Path]) -> None:
    collection, folder = small
    lock = folder / "results/latents/mnist_5k/tf_efficientnet_lite1.in1k/.train.lock"
    with lock.open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        states = list(states_of(collection, folder / "results"))
    found = {(s.target.model[-6:-5], s.target.split): (s.state, s.rows_kept) for s in states}
    assert found == {
        ("0", "train"): ("done", 100),
        ("0", "test"): ("begun", 24),
        ("1", "train"): ("running", 0),
        ("1", "test"): ("failed", 0),
        ("2", "train"): ("not started", 0),
        ("2", "test"): ("not started", 0),
    }
    frame = coverage_frame(states)
    assert frame["rows"].sum() == 420
    assert frame.filter(pl.col("state") == "failed")["reason"].item() == "gated"
    lines = list(coverage_lines(states))
    assert lines[1].split()[:6] == ["mnist_5k/train", "1", "1", "0", "0", "1"]
    assert "29.5 % of 420" in lines[3]
    assert lines[-2] == "  mnist_5k/test/tf_efficientnet_lite1.in1k: WeightsError: gated"


def test_commands(small: tuple[Collection, Path], capsys: pytest.CaptureFixture[str]) -> None:
    _, folder = small
    config = ["--config", str(folder / "config.yaml")]
    assert main(["status", *config]) == 0
    assert "1 failed:" in capsys.readouterr().out
    assert main(["status", *config, "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 6
    assert main(["status", *config, "--missing"]) == 0
    told = capsys.readouterr().out.splitlines()
    # All but the one that is done, whatever became of them, named as the workflow names them.
    assert len(told) == 5
    assert str(folder / "results/latents/mnist_5k/tf_efficientnet_lite0.in1k/test.parquet") in told
    assert not any(Path(path).exists() for path in told)
    assert main(["plan", *config, "--output", str(folder / "plan.csv")]) == 0
    told = capsys.readouterr().out
    assert "Hours: unknown" in told
    assert "3 models in 8 GiB" in told
    assert pl.read_csv(folder / "plan.csv")["shards_done"].to_list() == [1, 0]
    assert main(["plan", "--config", str(folder / "nothing.yaml")]) == 1
    assert "nothing.yaml: there is no such file" in capsys.readouterr().err


def test_a_share_is_never_rounded_up_to_all(small: tuple[Collection, Path]) -> None:
    from semasia.overview.coverage import _percent

    assert _percent(99_999, 100_000) == "99.9 %"
    assert _percent(5, 5) == "100.0 %"
