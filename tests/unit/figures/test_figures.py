"""Every table and every shard that can occur is drawn, and what is drawn can be told apart."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from threadpoolctl import threadpool_limits

from semasia.extraction.timings import COLUMNS as TIMINGS
from semasia.figures import draw_metrics, draw_probes, draw_projection, draw_timings
from semasia.figures.geometry import series_style
from semasia.figures.projection import project
from semasia.figures.style import UNLABELLED, UNTRAINED, literal
from semasia.geometry import COLUMNS, METRIC_DEFINITIONS
from semasia.inputs import BenchmarkCard, PreparedSplit, prepare_split
from semasia.latents import Plan, Shard, ShardWriter, provenance_of
from semasia.tables import frame_of

Draw = Callable[[pl.DataFrame, Path], None]


def texts(svg: Path) -> list[str]:
    """Return the texts of a figure; matplotlib repeats each in a comment beside its outlines."""
    return re.findall(r"<!-- (.*?) -->", svg.read_text(), re.DOTALL)


def joined(svg: Path) -> str:
    return "\n".join(texts(svg))


def geometry(
    models: int, controls: int = 0, series: int = 1, **values: Any
) -> tuple[pl.DataFrame, list[str]]:
    """Return a geometry table of so many models, the last of them untrained, and their names."""
    rng = np.random.default_rng(models)
    names = [f"model{i:03}" for i in range(models)]
    rows = []
    for one in range(series):
        for place, name in enumerate(names):
            row: dict[str, Any] = {
                "benchmark": f"bench{one:02}",
                "split": "test",
                "model_name": name,
                "untrained": place >= models - controls,
                "rows": 1000,
                "source_rows": 10_000,
                "latent_dim": 64,
                **{m: float(v) for m, v in zip(METRIC_DEFINITIONS, rng.random(99), strict=False)},
                "n_components_90": int(rng.integers(1, 64)),
                "probe_fit_split": "train",
                "probe_fit_rows": 4000,
            }
            row["probe_accuracy_low"] = max(0.0, row["probe_accuracy"] - 0.02)
            row["probe_accuracy_high"] = min(1.0, row["probe_accuracy"] + 0.02)
            rows.append({**row, **values})
    return frame_of(rows, COLUMNS), names


@pytest.mark.parametrize("draw", [draw_metrics, draw_probes])
@pytest.mark.parametrize(("models", "controls"), [(1, 1), (60, 5), (61, 5)])
def test_tables_of_any_length_are_drawn(
    draw: Draw, models: int, controls: int, tmp_path: Path
) -> None:
    frame, names = geometry(models, controls)
    draw(frame, tmp_path / "figure.svg")
    shown = joined(tmp_path / "figure.svg")
    listed = models <= 60
    assert all((n in shown) == listed for n in names)
    assert "1,000 of 10,000 rows" in shown


def test_an_empty_table_says_so(tmp_path: Path) -> None:
    draw_metrics(geometry(0)[0], tmp_path / "metrics.svg")
    assert "the table has no rows" in texts(tmp_path / "metrics.svg")
    draw_probes(geometry(0)[0], tmp_path / "probes.svg")
    assert "no split of this collection is scored by a probe" in texts(tmp_path / "probes.svg")


def test_boxes_leave_untrained_controls_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.axes import Axes

    boxed = []
    original = Axes.boxplot

    def boxplot(self: Axes, x: Any, *arguments: Any, **options: Any) -> Any:
        boxed.append(len(x))
        return original(self, x, *arguments, **options)

    monkeypatch.setattr(Axes, "boxplot", boxplot)
    draw_metrics(geometry(100, controls=10)[0], tmp_path / "metrics.svg")
    assert boxed == [90] * len(METRIC_DEFINITIONS)
    svg = (tmp_path / "metrics.svg").read_text()
    points = re.findall(rf"<use [^>]*fill: #ffffff; stroke: {UNTRAINED}", svg)
    assert len(points) == 10 * len(METRIC_DEFINITIONS) + 1, "one of them is in the legend"
    assert "box: trained models; hollow: untrained control" in texts(tmp_path / "metrics.svg")
    draw_metrics(geometry(100)[0], tmp_path / "trained.svg")
    assert "untrained" not in joined(tmp_path / "trained.svg")


def test_64_series_have_distinct_markers_and_colours() -> None:
    assert len({series_style(i) for i in range(64)}) == 64


def test_a_legend_of_many_series_lies_below_the_panels(tmp_path: Path) -> None:
    path = tmp_path / "metrics.svg"
    draw_metrics(geometry(2, 1, series=17)[0], path)
    shown = texts(path)
    assert [f"bench{i:02}/test, 1,000 of 10,000 rows" in shown for i in range(17)] == [True] * 17
    svg = path.read_text()
    height = float(re.findall(r'viewBox="0 0 [\d.]+ ([\d.]+)"', svg)[0])
    legend = svg[svg.index('id="legend_1"') :]
    places = [float(y) for y in re.findall(r'<use [^>]*y="([\d.]+)"', legend)]
    panels = re.findall(
        r'id="patch_\d+">\s*<path d="M [\d.]+ ([\d.]+)', svg[: svg.index("legend_1")]
    )
    assert max(map(float, panels[1:])) < min(places) <= max(places) < height


@pytest.mark.parametrize("models", [2, 61])
@pytest.mark.parametrize("value", [None, math.nan, -math.inf, 1e308, 1e299])
def test_values_that_no_axis_can_hold_do_not_stop_a_figure(
    value: float | None, models: int, tmp_path: Path
) -> None:
    same = dict.fromkeys((*METRIC_DEFINITIONS, "probe_accuracy_low", "probe_accuracy_high"), value)
    frame, _ = geometry(models, 1, 1, **{**same, "n_components_90": None})
    if models > 2:
        known = geometry(models, 1)[0].with_columns(benchmark=pl.lit("other"))
        frame = pl.concat([frame, known])
    draw_metrics(frame, tmp_path / "metrics.svg")
    draw_probes(frame, tmp_path / "probes.svg")
    assert not {"nan", "inf"} & set(texts(tmp_path / "metrics.svg"))


def test_only_known_intervals_are_promised(tmp_path: Path) -> None:
    draw_probes(geometry(2)[0], tmp_path / "with.svg")
    assert "accuracy, with 95 % interval over test rows" in texts(tmp_path / "with.svg")
    unknown = {"probe_accuracy_low": None, "probe_accuracy_high": None}
    draw_probes(geometry(2, 0, 1, **unknown)[0], tmp_path / "without.svg")
    assert "accuracy" in texts(tmp_path / "without.svg")
    assert "interval" not in joined(tmp_path / "without.svg")


def test_names_are_shown_as_they_are(tmp_path: Path) -> None:
    odd = {"model_name": "_a$x^2$b_", "benchmark": "_pay$me$", "probe_fit_split": "$t$"}
    for draw in (draw_metrics, draw_probes):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            draw(geometry(1, 0, 1, **odd)[0], tmp_path / "figure.svg")
        shown = joined(tmp_path / "figure.svg").replace(r"\$", "$")
        assert "_a$x^2$b_" in shown
        assert "_pay$me$/test" in shown
    assert literal("plain_name") == "plain_name"


def timings(**values: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"benchmark": "b", "split": "s", "model_name": "m", "rows": 50}
    row |= {"rows_resumed": 0, "device": "cpu", "threads": 2, "batch_size": 8}
    return row | {c: 1.0 for c in TIMINGS if c.startswith("seconds_")} | values


@pytest.mark.parametrize(
    ("values", "rate"),
    [
        ({"seconds_load": 0.0}, " 17 images/s"),
        ({}, " 12 images/s"),
        ({"rows_resumed": 50}, None),
        ({"rows_resumed": 50, **{c: 0.0 for c in TIMINGS if c.startswith("seconds_")}}, None),
        ({c: 0.0 for c in TIMINGS if c.startswith("seconds_")}, None),
    ],
)
def test_a_rate_is_written_where_one_was_measured(
    values: dict[str, Any], rate: str | None, tmp_path: Path
) -> None:
    draw_timings(frame_of([timings(**values)], TIMINGS), tmp_path / "timings.svg")
    rates = [t for t in texts(tmp_path / "timings.svg") if re.search(r"\S+ images/s$", t)]
    assert rates == ([rate] if rate else [])


def test_timings_of_no_and_of_many_models_are_drawn(tmp_path: Path) -> None:
    draw_timings(frame_of([], TIMINGS), tmp_path / "none.svg")
    rows = [timings(model_name=f"m{i}") for i in range(61)]
    draw_timings(frame_of(rows, TIMINGS), tmp_path / "many.svg")
    assert any("the slowest 60 of 61 models" in t for t in texts(tmp_path / "many.svg"))


def prepared_split(folder: Path, repository: Path, cap: int) -> PreparedSplit:
    card = BenchmarkCard.model_validate(
        yaml.safe_load((repository / "registry/benchmarks/mnist_5k.yaml").read_text())
    )
    data, facts = folder / "test.arrow", folder / "test.json"
    prepare_split(card, "test", cap=cap, revision=None, data=data, facts=facts)
    return PreparedSplit.open(data, facts)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """On fifty points, threads wait for each other far longer than they work."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def fifty(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> PreparedSplit:
    """Return 50 of the 1,000 test digits."""
    return prepared_split(tmp_path_factory.mktemp("prepared") / "mnist_5k", repository, 50)


def shard(
    path: Path, prepared: PreparedSplit, latents: np.ndarray, name: str = "tiny.seed0"
) -> Shard:
    encoder = {"model_name": name, "width": latents.shape[1], "untrained": True}
    described = {
        "encoder": encoder,
        "preprocessing": {"input_size": [3, 8, 8]},
        "numerics": {"stored": "float32", "compute": "float32", "device": "cpu"},
    }
    writer = ShardWriter(path, prepared, provenance_of(prepared, described))
    writer.begin(Plan(64, 128))
    for rows in writer.missing():
        writer.save(rows, latents[rows.start : rows.stop].astype(np.float32))
    writer.finish()
    return Shard(path)


def normal(rows: int, width: int) -> np.ndarray:
    return np.random.default_rng(width).standard_normal((rows, width)).astype(np.float32)


@pytest.mark.parametrize(
    ("latents", "said"),
    [
        (normal(50, 7), None),
        (normal(50, 1), None),
        (normal(50, 7) * 1e-30, None),
        (normal(50, 7) * 1e37, None),
        (normal(50, 7) * 1e-44, None),
        (normal(50, 1) * np.ones((1, 5)), None),
        (np.repeat(normal(2, 7), 25, axis=0), None),
        (np.zeros((50, 7)), "all points coincide"),
        (np.full((50, 1), 0.1), "all points coincide"),
        (np.full((50, 7), 3.3e38), "all points coincide"),
    ],
    ids=["normal", "d1", "1e-30", "1e37", "1e-44", "line", "two", "zeros", "d1 same", "same"],
)
def test_latents_of_any_scale_are_projected(
    latents: np.ndarray, said: str | None, tmp_path: Path, fifty: PreparedSplit
) -> None:
    found = shard(tmp_path / "test.parquet", fifty, latents)
    draw_projection([found], "label", tmp_path / "projection.svg")
    assert ("all points coincide" in texts(tmp_path / "projection.svg")) == (said is not None)
    # Classes are listed even where the panel has no points.
    assert [t for t in texts(tmp_path / "projection.svg") if t.isdigit()] == list("0123456789")


def test_projection_does_not_depend_on_scale() -> None:
    latents = normal(40, 7)
    expected = project(latents)
    assert np.array_equal(project(latents * np.float32(2.0**-100)), expected)
    assert np.array_equal(project(latents * np.float32(2.0**100)), expected)


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_fewer_than_four_points_are_not_projected(rows: int) -> None:
    assert project(normal(rows, 5)) == "too few points to project"


def test_a_split_of_three_rows_is_drawn(tmp_path: Path, repository: Path) -> None:
    three = prepared_split(tmp_path / "mnist_5k", repository, 3)
    found = shard(tmp_path / "test.parquet", three, normal(3, 5))
    draw_projection([found], "label", tmp_path / "projection.svg")
    assert "too few points to project" in texts(tmp_path / "projection.svg")
    assert isinstance(project(normal(4, 5)), np.ndarray)


def labelled(found: Shard, values: np.ndarray, names: list[str] | None) -> Shard:
    """Return the shard, as if it held these labels."""
    found.labels = {"label": values}
    found.label_names = {"label": names}
    return found


def test_absent_unnamed_and_odd_labels_are_shown_for_what_they_are(
    tmp_path: Path, fifty: PreparedSplit
) -> None:
    found = shard(tmp_path / "test.parquet", fifty, normal(50, 7))
    names = ["$x$", "_hidden", "last class"]
    labelled(found, np.arange(50) % 2, names)
    draw_projection([found], "label", tmp_path / "present.svg")
    assert UNLABELLED not in (tmp_path / "present.svg").read_text()

    values = np.arange(50) % 4 - 1
    values[7] = 12
    labelled(found, values, ["$x$", "_hidden", "rare"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_projection([found], "label", tmp_path / "absent.svg")
    shown = texts(tmp_path / "absent.svg")[-5:]
    assert [t.replace(r"\$", "$").strip("\u200b") for t in shown] == [
        *("$x$", "_hidden", "rare", "12", "no label")
    ]
    svg = (tmp_path / "absent.svg").read_text()
    assert svg.count(f"fill: {UNLABELLED}") >= (values == -1).sum()

    labelled(found, np.full(50, -1), None)
    draw_projection([found], "label", tmp_path / "none.svg")
    assert texts(tmp_path / "none.svg")[-1] == "no label"


@pytest.mark.parametrize(("classes", "listed"), [(20, True), (21, False)])
def test_many_classes_are_coloured_but_not_listed(
    classes: int, listed: bool, tmp_path: Path, fifty: PreparedSplit
) -> None:
    found = shard(tmp_path / "test.parquet", fifty, normal(50, 7))
    names = [f"a rather long class name {i:02}" for i in range(classes)]
    labelled(found, np.arange(50) % classes, names)
    draw_projection([found], "label", tmp_path / "projection.svg")
    shown = texts(tmp_path / "projection.svg")
    assert [n in shown for n in names] == [listed] * classes


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, fifty: PreparedSplit) -> None:
    shards = [
        shard(tmp_path / "a" / "test.parquet", fifty, normal(50, 7), "_odd$name$.seed0"),
        shard(tmp_path / "b" / "test.parquet", fifty, np.ones((50, 3))),
    ]
    table = geometry(5, 1, series=3, probe_accuracy=0.5)[0]
    times = frame_of([timings(model_name=f"m{i}") for i in range(20)], TIMINGS)
    draws: dict[str, Callable[[Path], None]] = {
        "metrics": lambda path: draw_metrics(table, path),
        "probes": lambda path: draw_probes(table, path),
        "timings": lambda path: draw_timings(times, path),
        "projection": lambda path: draw_projection(shards, "label", path),
        "plain": lambda path: draw_projection(shards, None, path),
    }
    for name, draw in draws.items():
        draw(tmp_path / f"{name}.svg")
        first = (tmp_path / f"{name}.svg").read_bytes()
        draw(tmp_path / f"{name}.svg")
        assert (tmp_path / f"{name}.svg").read_bytes() == first, name
