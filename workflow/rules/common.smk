# What the rules share: the collection, and functions named for what they return.
import subprocess
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from semasia.config import Collection, parse_config
from semasia.errors import SemasiaError
from semasia.extraction import accelerator_present, begin_run
from semasia import recipes

REGISTRY = Path(workflow.current_basedir).parent.parent / "registry"
CONFIG_FILE = (
    ", ".join(map(str, workflow.overwrite_configfiles)) or "config/config.yaml"
)

try:
    COLLECTION = Collection.resolve(
        parse_config(config, CONFIG_FILE), REGISTRY, CONFIG_FILE
    )
except SemasiaError as error:
    raise WorkflowError(f"{type(error).__name__}: {error}") from None

RESULTS = COLLECTION.config.pathvars.get("results", "results")
LOGS = COLLECTION.config.pathvars.get("logs", f"{RESULTS}/logs")
EXTRACT = COLLECTION.config.extract


wildcard_constraints:
    benchmark=r"[^/]+",
    model=r"[^/]+",
    split=r"[^/]+",
    block=r"\d+",


def all_shards(wildcards):
    return [shard(*target) for target in COLLECTION.targets()]


def is_analysed(benchmark, model, split):
    # With `existing_only` analyses take the shards that are there; otherwise all are made first.
    return (
        not COLLECTION.config.existing_only
        or Path(shard(benchmark, model, split)).exists()
    )


def all_timings(wildcards):
    return [
        f"{RESULTS}/timings/{t.benchmark}/{t.model}/{t.split}.json"
        for t in COLLECTION.targets()
        if is_analysed(*t)
    ]


def all_geometry(wildcards):
    return [
        f"{RESULTS}/geometry/{benchmark}/{split}/{block}.parquet"
        for benchmark in COLLECTION.benchmarks
        for split in COLLECTION.splits(benchmark)
        for block in COLLECTION.blocks()
    ]


def all_figures(wildcards):
    figures = ["probes", "metrics", "timings"]
    if projection_shards(wildcards):
        figures.append("projection")
    pages = ["geometry", "registry", "timings"]
    return [
        *(f"{RESULTS}/figures/{name}.svg" for name in figures),
        *(f"{RESULTS}/pages/{name}.html" for name in pages),
    ]


def shard(benchmark, model, split):
    return f"{RESULTS}/latents/{benchmark}/{model}/{split}.parquet"


def benchmark_card(wildcards):
    return COLLECTION.benchmarks[wildcards.benchmark].model_dump(mode="json")


def encoder_card(wildcards):
    return COLLECTION.models[wildcards.model].model_dump(mode="json")


def encoder_cards(wildcards):
    return [card.model_dump(mode="json") for card in COLLECTION.models.values()]


def rows_cap(wildcards):
    return COLLECTION.cap(wildcards.benchmark, wildcards.split)


def on_accelerator():
    if EXTRACT.device == "auto":
        return accelerator_present()
    return EXTRACT.device != "cpu"


def extract_gpus(wildcards):
    return 1 if on_accelerator() else 0


def extract_threads(wildcards):
    # An accelerator wants several processors to feed it; without one, a job per core is fastest.
    return 4 if on_accelerator() else 1


def extract_mem_mb(wildcards, attempt):
    return 4000 * attempt


def block_shards(wildcards):
    # The shards of a block that can be had, of the split itself.
    return [
        shard(wildcards.benchmark, model, wildcards.split)
        for model in COLLECTION.models
        if COLLECTION.block_of(model) == int(wildcards.block)
        and is_analysed(wildcards.benchmark, model, wildcards.split)
    ]


def block_fit_shards(wildcards):
    # Those of the split that the probe is fitted on, where this split is the one it is scored on.
    probe = COLLECTION.benchmarks[wildcards.benchmark].probe
    if (
        probe is None
        or wildcards.split != probe.score
        or probe.fit not in COLLECTION.splits(wildcards.benchmark)
    ):
        return []
    return [
        shard(wildcards.benchmark, model, probe.fit)
        for model in COLLECTION.models
        if COLLECTION.block_of(model) == int(wildcards.block)
        and is_analysed(wildcards.benchmark, model, probe.fit)
    ]


def projection_shards(wildcards):
    wanted = COLLECTION.config.figures.projection
    return [
        shard(wanted.benchmark, model, wanted.split)
        for model in (wanted.models if wanted else ())
        if is_analysed(wanted.benchmark, model, wanted.split)
    ]


def projection_label(wildcards):
    wanted = COLLECTION.config.figures.projection
    card = COLLECTION.benchmarks[wanted.benchmark]
    return wanted.label or (
        card.probe.labels[0] if card.probe else next(iter(card.labels), None)
    )


def images_to_extract():
    return sum(
        COLLECTION.rows(t.benchmark, t.split)
        for t in COLLECTION.targets()
        if not Path(shard(*t)).exists()
    )


def snakemake_again(log, *arguments, config=(), targets=()):
    # Run this workflow once more on the same configuration, its output in a file.
    command = [sys.executable, "-m", "snakemake", *arguments]
    command += ["--snakefile", str(workflow.main_snakefile)]
    if workflow.overwrite_configfiles:
        command += ["--configfile", *map(str, workflow.overwrite_configfiles)]
    if config:
        command += ["--config", *config]
    Path(LOGS).mkdir(parents=True, exist_ok=True)
    with open(Path(LOGS, log), "w") as file:
        subprocess.run(
            [*command, "--", *targets], stdout=file, stderr=subprocess.STDOUT
        )


def write_report():
    # Only where everything on it is there: a run of single targets leaves the report alone.
    if all(Path(f).exists() for f in all_figures(None)):
        config = ["existing_only=true"] if COLLECTION.config.existing_only else []
        snakemake_again(
            "report.log", "--report", f"{RESULTS}/report.html", config=config
        )


def analyse_what_exists():
    # After a run in which some targets failed: the analyses of all the others.
    if not COLLECTION.config.existing_only and not workflow.remote_exec:
        # The lock is held by this process, which has no jobs left.
        snakemake_again(
            "analyses.log",
            "--nolock",
            config=["existing_only=true"],
            targets=["analyses"],
        )


def summary():
    targets = list(COLLECTION.targets())
    made = sum(Path(shard(*t)).exists() for t in targets)
    lines = [
        f"{made:,} of {len(targets):,} shards: {shard('BENCHMARK', 'MODEL', 'SPLIT')}"
    ]
    for name in (
        "tables/geometry.csv",
        "tables/registry.csv",
        "tables/timings.csv",
        "report.html",
    ):
        if Path(RESULTS, name).exists():
            lines.append(f"{RESULTS}/{name}")
    return "Made:\n  " + "\n  ".join(lines)


def failures():
    keys = ((t.benchmark, t.model, f"{t.split}.json") for t in COLLECTION.targets())
    records = [
        p for p in (Path(RESULTS, "failures", *key) for key in keys) if p.exists()
    ]
    shown = [str(p) for p in records[:20]] + (["…"] if len(records) > 20 else [])
    lines = [f"{len(records)} targets failed:", *shown] if records else []
    return "\n  ".join(["Some jobs failed; each error above names its log.", *lines])
