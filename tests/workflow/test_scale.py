"""A finished collection of a tenth of the paper's: what each change schedules, job by job.

The tree is made by Snakemake's own planning and records (``benchmarks.finished``), so that times,
parameters and sets of inputs are compared as after a real run; its jobs alone are left out.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import snakemake
import yaml

from benchmarks.synthetic import write_workflow
from semasia.cli import main
from semasia.config import Collection as Configured
from semasia.config import parse_config

from conftest import REPOSITORY, clean_environment, workflow_command

Changed = Callable[[dict[str, Any], list[dict[str, Any]]], None]

MODELS = [f"lcnet_050.untrained_seed{seed}" for seed in range(100)]
SPLITS = {
    "celeba": ("train", "valid", "test"),
    "cifar10": ("train", "test"),
    "cifar100": ("train", "test"),
    "fashion_mnist": ("train", "test"),
    "mnist": ("train", "test"),
    "oxford_flowers": ("train", "test"),
    "tiny_imagenet": ("train", "valid"),
    "imagenet_1k": ("validation", "test"),
}
BLOCKS = 4
WHOLE = [f"{benchmark}/{split}" for benchmark, splits in SPLITS.items() for split in splits]

# What gathers everything, by what it gathers.
OF_TIMINGS = {"Collecting timings", "Drawing timings", "Telling what is done and what failed"}
OF_GEOMETRY = {
    "Writing the geometry table",
    "Drawing probe accuracies",
    "Drawing metrics per model",
    "Regressing geometry on the five conditions",
    "Drawing effects of the five conditions",
}
OF_PROBES = {
    "Writing the tables of probes and of the probe artefact",
    "Drawing weak against strong probes",
}
OF_GRAPHS = {
    "Writing the graphs table",
    "Telling macro-families apart by graph signatures",
    "Drawing graph signatures by macro-family",
}
AGGREGATES = OF_TIMINGS | OF_GEOMETRY | OF_PROBES | OF_GRAPHS
OF_MODELS = {
    "Describing the models of this collection",
    "Pairing the models of this collection",
    "Regressing geometry on the five conditions",
    "Drawing effects of the five conditions",
    "Telling macro-families apart by graph signatures",
    "Drawing graph signatures by macro-family",
}


def configuration() -> dict[str, Any]:
    return {
        "benchmarks": [{"name": name} for name in SPLITS],
        "models": {"file": "models.yaml"},
        "extract": {"device": "cpu"},
        "analysis": {"blocks": BLOCKS},
    }


def cards() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "architecture": "lcnet_050",
            "weights": {"source": "random", "seed": seed},
            "data_config": {"input_size": [3, 64, 64]},
            "notes": "a test",
        }
        for seed, name in enumerate(MODELS)
    ]


def write(folder: Path, config: dict[str, Any], models: list[dict[str, Any]]) -> None:
    described = {"description": "a test", "models": models}
    (folder / "models.yaml").write_text(yaml.safe_dump(described))
    config = deepcopy(config)
    config["models"]["file"] = str(folder / "models.yaml")
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def finish(folder: Path, *arguments: str) -> list[str]:
    """Finish what is planned without running it; return the jobs' messages."""
    command = workflow_command(folder, *arguments)
    command[command.index("snakemake")] = "benchmarks.finished"
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, env=clean_environment()
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith(tuple(VERBS))]


VERBS = ("Extracting", "Preparing", "Resolving", "Measuring", "Probing", "Drawing")
VERBS = (*VERBS, *AGGREGATES, *OF_MODELS)


def planned(folder: Path, *arguments: str) -> list[str]:
    """Return the messages of the jobs that a dry run announces, repeated where it repeats them."""
    done = subprocess.run(
        workflow_command(folder, "--dry-run", "--quiet", "host", *arguments),
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.findall(r"^Job \d+: (.*)$", done.stdout, re.MULTILINE)
    assert bool(found) != ("Nothing to be done" in done.stdout + done.stderr)
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    write(folder, configuration(), cards())
    made = finish(folder)
    assert len(made) == len(set(made))
    assert sum(line.startswith("Extracting") for line in made) == 17 * 100
    return folder


def after(folder: Path, change: Changed, *arguments: str) -> set[str]:
    """Return what a changed configuration schedules on the finished tree."""
    config, models = configuration(), cards()
    change(config, models)
    write(folder, config, models)
    try:
        jobs = planned(folder, *arguments)
    finally:
        write(folder, configuration(), cards())
    assert len(jobs) == len(set(jobs))
    return set(jobs)


def unchanged(config: dict[str, Any], models: list[dict[str, Any]]) -> None:
    """Leave everything."""


def extractions(splits: Iterable[str], models: Iterable[str]) -> set[str]:
    chosen = list(models)
    return {f"Extracting {split} with {model}" for split in splits for model in chosen}


def collection() -> Configured:
    benchmarks = [*configuration()["benchmarks"], {"name": "digits"}]
    content = {**configuration(), "benchmarks": benchmarks, "models": {"set": "demo"}}
    return Configured.resolve(parse_config(content, "c"), REPOSITORY / "registry", "c")


def measurements(splits: Iterable[str], models: Collection[str]) -> set[str]:
    known = collection()
    blocks = {known.block_of(model) for model in models}
    jobs = set()
    for split in splits:
        benchmark, name = split.split("/")
        kinds = ["Measuring latents", "Measuring graphs"]
        probe = known.benchmarks[benchmark].probe
        if name == (probe.score if probe else SPLITS[benchmark][0]):
            kinds.append("Probing latents")
        jobs |= {f"{kind} of {split}, block {block}" for kind in kinds for block in blocks}
    return jobs


def test_a_finished_collection_has_nothing_to_do(finished: Path) -> None:
    assert after(finished, unchanged) == set()


def test_what_only_changes_speed_schedules_nothing(finished: Path) -> None:
    def change(config: dict[str, Any], models: list[dict[str, Any]]) -> None:
        config["extract"] |= {"batch_size": 7, "batches_per_part": 3, "compile_from": None}
        models[0]["notes"] = "another"

    tuned = [
        *("--set-threads", "extract=1", "prepare_split=1", "geometry=1"),
        *("--set-resources", "extract:mem_mb=9000", "extract:runtime=99", "geometry:mem_mb=99"),
    ]
    # A model's notes stand in the registry's table, and in no other.
    assert after(finished, change, *tuned) == OF_MODELS


def test_a_new_model_schedules_its_shards_and_what_gathers_them(finished: Path) -> None:
    def change(config: dict[str, Any], models: list[dict[str, Any]]) -> None:
        models.append({**models[0], "name": "new", "weights": {"source": "random", "seed": 7}})

    assert after(finished, change) == (
        extractions(WHOLE, ["new"]) | measurements(WHOLE, ["new"]) | AGGREGATES | OF_MODELS
    )


def test_a_new_benchmark_schedules_its_shards_and_what_gathers_them(finished: Path) -> None:
    def change(config: dict[str, Any], models: list[dict[str, Any]]) -> None:
        config["benchmarks"].append({"name": "digits", "splits": ["test"]})

    assert after(finished, change) == (
        {"Resolving where digits is read from", "Preparing the inputs of digits/test"}
        | extractions(["digits/test"], MODELS)
        | measurements(["digits/test"], MODELS)
        | AGGREGATES
    )


def test_a_models_card_schedules_its_shards(finished: Path) -> None:
    def change(config: dict[str, Any], models: list[dict[str, Any]]) -> None:
        models[3]["weights"]["seed"] = 1234

    assert after(finished, change) == (
        extractions(WHOLE, [MODELS[3]]) | measurements(WHOLE, [MODELS[3]]) | AGGREGATES | OF_MODELS
    )


def test_a_rows_cap_schedules_its_split(finished: Path) -> None:
    def change(config: dict[str, Any], models: list[dict[str, Any]]) -> None:
        config["benchmarks"][list(SPLITS).index("mnist")]["rows"] = {"test": 5000}

    assert after(finished, change) == (
        {"Preparing the inputs of mnist/test"}
        | extractions(["mnist/test"], MODELS)
        | measurements(["mnist/test"], MODELS)
        | AGGREGATES
    )


@pytest.mark.parametrize(("key", "value"), [("precision", "bfloat16"), ("preprocess", "reference")])
def test_how_latents_are_computed_schedules_every_shard(
    finished: Path, key: str, value: str
) -> None:
    def change(config: dict[str, Any], models: list[dict[str, Any]]) -> None:
        config["extract"][key] = value

    assert after(finished, change) == (
        extractions(WHOLE, MODELS) | measurements(WHOLE, MODELS) | AGGREGATES
    )


def test_what_is_remembered_changes_no_plan(tmp_path: Path) -> None:
    """`repeated.smk` has Snakemake ask once what it would ask for every job: same answers."""
    config = configuration()
    config["benchmarks"] = [{"name": "mnist"}, {"name": "digits"}]
    write(tmp_path, config, cards()[:8])
    root = tmp_path / "plain"
    shutil.copytree(REPOSITORY / "workflow", root / "workflow")
    for name in ("scripts", "registry", "envs"):
        (root / name).symlink_to(REPOSITORY / name)
    rules = root / "workflow" / "rules" / "repeated.smk"
    rules.write_text(rules.read_text().replace('== "9.27.1"', '== "none"'))
    assert snakemake.__version__ == "9.27.1", "look again at what repeated.smk remembers"
    command = workflow_command(tmp_path, "--dry-run", "--quiet", "host")
    # What a plan says in which order depends on that of sets.
    ordered = {**clean_environment(), "PYTHONHASHSEED": "0"}
    plans = []
    for snakefile in (REPOSITORY / "workflow" / "Snakefile", root / "workflow" / "Snakefile"):
        command[command.index("--snakefile") + 1] = str(snakefile)
        done = subprocess.run(command, capture_output=True, text=True, env=ordered)
        assert done.returncode == 0, done.stderr
        plans.append(
            sorted(re.sub(r"(Job) \d+|^\[.*\]$", r"\1", done.stdout, flags=re.M).splitlines())
        )
    assert sum("Extracting" in line for line in plans[0]) == 4 * 8
    assert plans[0] == plans[1]


_FAULTY = {
    "ChildIOException": """
rule inner:
    wildcard_constraints: x="[0-9]+"
    output: "out/{x}/b"
    shell: "touch {output}"
rule outer:
    wildcard_constraints: x="[0-9]+"
    output: directory("out/{x}")
    shell: "mkdir {output}"
rule all:
    default_target: True
    input: "out/1", "out/1/b"
""",
    "nowhere.py": """
rule all:
    output: "out"
    script: "nowhere.py"
""",
    "no such memory": """
def memory(wildcards):
    raise ValueError("no such memory")
rule all:
    output: "out"
    resources: mem_mb=memory
    shell: "touch {output}"
""",
}


@pytest.mark.parametrize("said", _FAULTY)
def test_what_is_looked_at_once_is_still_looked_at(tmp_path: Path, said: str) -> None:
    """An output in another's folder, a script that is not there, a resource that fails."""
    rules = REPOSITORY / "workflow" / "rules" / "repeated.smk"
    (tmp_path / "Snakefile").write_text(f"include: {str(rules)!r}\n{_FAULTY[said]}")
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode and said in done.stdout + done.stderr, done.stderr


def test_missing_shards_are_targets_that_make_themselves(
    finished: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished)
    status = ["status", "--config", "config.yaml", "--registry", str(REPOSITORY / "registry")]
    assert main([*status, "--missing"]) == 0
    assert capsys.readouterr().out == ""
    gone = [("mnist", MODELS[5], "test"), ("celeba", MODELS[8], "valid")]
    paths = [Path("results/latents", b, m, f"{s}.parquet") for b, m, s in gone]
    for path in paths:
        path.rename(path.with_suffix(".away"))
    try:
        assert main([*status, "--missing"]) == 0
        told = capsys.readouterr().out.split()
        # In the collection's order.
        assert told == [str(paths[1]), str(paths[0])]
        jobs = planned(finished, "--", *told)
    finally:
        for path in paths:
            path.with_suffix(".away").rename(path)
    assert set(jobs) == {f"Extracting {b}/{s} with {m}" for b, m, s in gone}


def test_a_deleted_shard_is_made_again_and_what_reads_it(tmp_path: Path) -> None:
    """Who finds a shard damaged is told to delete it and run again."""
    models = cards()[:6]
    names = [model["name"] for model in models]
    config = configuration()
    config["benchmarks"] = [{"name": "mnist"}, {"name": "digits"}]
    # Compared models; the last is in no pair.
    config["comparison"] = {
        "benchmark": "digits",
        "models": names[:3],
        "tile": 2,
        "pairs": [{"a": names[0], "b": names[1]}],
    }
    config["figures"] = {
        "projection": {"benchmark": "mnist", "split": "train", "models": [names[4]]}
    }
    write(tmp_path, config, models)
    finish(tmp_path)
    assert planned(tmp_path) == []

    def delete(benchmark: str, model: str, split: str) -> str:
        path = Path("results/latents", benchmark, model, f"{split}.parquet")
        (tmp_path / path).unlink()
        return f"Extracting {benchmark}/{split} with {model}"

    block = collection().block_of
    table = f"results/geometry/mnist/test/{block(names[5])}.parquet"
    elsewhere = "results/tables/registry.parquet"
    extracted = delete("mnist", names[5], "test")
    assert planned(tmp_path, "--", elsewhere) == []
    assert planned(tmp_path, "--", "results/tables/similarity.parquet") == []
    measured = f"Measuring latents of mnist/test, block {block(names[5])}"
    assert set(planned(tmp_path, "--", table)) == {extracted, measured}
    assert set(planned(tmp_path)) == (
        {extracted} | measurements(["mnist/test"], [names[5]]) | AGGREGATES
    )
    # Of a split that a probe is fitted on, of models that are compared, and of one that is drawn.
    extracted = {
        extracted,
        delete("mnist", names[4], "train"),
        delete("digits", names[0], "train"),
        delete("digits", names[2], "test"),
    }
    for target, made in (
        (f"results/probes/mnist/test/{block(names[4])}.parquet", {"mnist/train"}),
        ("results/figures/projection.svg", {"mnist/train"}),
        (f"results/alignment/{names[0]}/{names[1]}.parquet", {"digits/train"}),
        ("results/tables/transfer.parquet", {"digits/train", "digits/test"}),
        ("results/tables/similarity.parquet", {"digits/test"}),
    ):
        jobs = [job for job in planned(tmp_path, "--", target) if job.startswith("Extracting")]
        assert {job.split()[1] for job in jobs} == made, target
        assert set(jobs) <= extracted
    again = finish(tmp_path)
    assert {job for job in again if job.startswith("Extracting")} == extracted
    assert planned(tmp_path) == []


def test_batches_make_everything_once(tmp_path: Path) -> None:
    config = configuration()
    config["benchmarks"] = [{"name": "mnist"}, {"name": "digits"}]
    write(tmp_path, config, cards()[:5])
    once = planned(tmp_path)
    assert len(once) == len(set(once))
    made = [finish(tmp_path, "--batch", f"shards={i}/3", "--", "shards") for i in (1, 2, 3)]
    # Twenty shards, cut into batches as even as can be; no batch makes an analysis.
    assert [sum(j.startswith("Extracting") for j in batch) for batch in made] == [7, 7, 6]
    assert not AGGREGATES & {job for batch in made for job in batch}
    made.append(finish(tmp_path))
    assert sorted(job for batch in made for job in batch) == sorted(once)
    assert planned(tmp_path) == []


def test_preparing_a_split_alone_meets_no_cycle(tmp_path: Path) -> None:
    # As a job on a cluster node starts: `source.json` must not be taken for a split's facts.
    config = {"benchmarks": [{"name": "digits"}], "models": {"set": "demo"}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    source = tmp_path / "results/inputs/digits/source.json"
    source.parent.mkdir(parents=True)
    source.write_text("{}")
    asked = ["--allowed-rules", "prepare_split", "--target-jobs"]
    done = subprocess.run(
        workflow_command(
            tmp_path, "--dry-run", *asked, "prepare_split:benchmark=digits,split=test"
        ),
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    assert done.returncode == 0
    assert "yclic" not in done.stdout + done.stderr
    assert re.search(r"^prepare_split +1$", done.stdout, re.MULTILINE)


def test_the_benchmarks_synthetic_workflow_has_the_shape_of_the_real_one(tmp_path: Path) -> None:
    write_workflow(tmp_path, models=6, splits=2, blocks=3)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE))
    assert jobs == {
        "prepare": "2",
        "extract": "12",
        "geometry": "6",
        "table": "1",
        "all": "1",
        "total": "22",
    }


@pytest.mark.parametrize("name", ["default", "slurm"])
def test_profiles_choose_from_a_sample(name: str) -> None:
    path = REPOSITORY / "workflow" / "profiles" / name / "config.yaml"
    profile = yaml.safe_load(path.read_text())
    assert profile["scheduler"] == "greedy"
    # A sample below the number of jobs that may run would leave places empty. What is sampled of
    # jobs in groups is groups.
    assert profile["scheduler-subsample"] >= profile.get("jobs", 0)
