# What the rules share: the collection, and functions named for what they return.
import functools
from pathlib import Path

from snakemake.exceptions import WorkflowError

from semasia.config import Collection, parse_config
from semasia.errors import SemasiaError
from semasia.content import content_digest, split_record, weights_record
from semasia.inputs import InputsCard
from semasia.inputs.content import planned_content
from semasia.registry.content import planned_weights_content
from semasia.extraction import (
    accelerator_present,
    begin_run,
    note_targets,
    sweep,
)
from semasia.overview import states_of
from semasia.statistics import PAPER_BENCHMARKS
from semasia.streams import tolerate_encodings
from semasia import recipes

# Messages name models and files in any script, and a console may know one alone.
tolerate_encodings()

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

# Whether latents are fetched: nothing was then timed here.
PUBLISHED = COLLECTION.config.latents.source == "published"
TIMINGS = [] if PUBLISHED else ["timings"]
TABLES = "registry coverage geometry probes graphs contrasts regression".split()
TABLES += ["likelihood_ratio", *TIMINGS]

RESULTS = COLLECTION.config.results
LOGS = COLLECTION.config.logs
EXTRACT = COLLECTION.config.extract
# With the defaults of what it leaves out, for the script.
config["extract"] = EXTRACT.model_dump(mode="json")


wildcard_constraints:
    benchmark=r"[^/]+",
    model=r"[^/]+",
    # `source.json` is no split's: see the rules of inputs.smk.
    split=r"(?!source[./])[^/]+",
    block=r"\d+",


def all_shards(wildcards):
    return [shard(*target) for target in COLLECTION.targets()]


def is_analysed(benchmark, model, split):
    # With `existing_only` analyses take the shards that are there; otherwise all are made first.
    return (
        not COLLECTION.config.existing_only
        or Path(shard(benchmark, model, split)).exists()
    )


@functools.cache
def is_there(file):
    return Path(file).exists()


def remade(shards, *tables):
    # What an analysis reads is made where it is missing though the analysis is there: Snakemake takes an
    # intermediate file that is gone for one that nobody needs, and who finds a shard damaged is told to
    # delete it and run again. Asked for what is planned, so that a run of one table makes its shards alone.
    if any(is_there(f"{RESULTS}/{table}") for table in tables):
        missing = {file for file in shards if not is_there(file)}
        workflow.persistence.dag.forcefiles.update(missing)
    return shards


def model_names(wildcards):
    return list(COLLECTION.models)


def rows_of_splits(wildcards):
    return {
        f"{benchmark}/{split}": COLLECTION.rows(benchmark, split)
        for benchmark in COLLECTION.benchmarks
        for split in COLLECTION.splits(benchmark)
    }


def failed_targets(wildcards):
    # Told only in the last pass after a run with failures: a finished collection has none, and
    # must not become out of date by what failed on the way.
    if not COLLECTION.config.existing_only:
        return []
    states = states_of(COLLECTION, Path(RESULTS))
    return [
        f"{s.target.benchmark} {s.target.model} {s.target.split}"
        for s in states
        if s.state == "failed"
    ]


def of_every_block(folder, suffix):
    return [
        f"{RESULTS}/{folder}/{benchmark}/{split}/{block}.{suffix}"
        for benchmark in COLLECTION.benchmarks
        for split in COLLECTION.splits(benchmark)
        for block in COLLECTION.blocks()
    ]


def all_receipts(wildcards):
    return of_every_block("verified", "json")


def all_timings(wildcards):
    return [
        f"{RESULTS}/timings/{t.benchmark}/{t.model}/{t.split}.json"
        for t in COLLECTION.targets()
        if is_analysed(*t)
    ]


def coverage_inputs(wildcards):
    # What is remade with every shard that arrives; where there is a table of timings that is one
    # file, and the shards themselves would be as many inputs again.
    if not PUBLISHED:
        return [f"{RESULTS}/tables/timings.parquet"]
    shards = [shard(*t) for t in COLLECTION.targets() if is_analysed(*t)]
    return remade(shards, "tables/coverage.parquet")


def repository_of(wildcards):
    return COLLECTION.repository(wildcards.benchmark)


def rows_asked(wildcards):
    return COLLECTION.rows(wildcards.benchmark, wildcards.split)


def rows_of_source(wildcards):
    return COLLECTION.benchmarks[wildcards.benchmark].splits[wildcards.split].rows


def stated_of_encoder(wildcards):
    # What a release that states nothing of its encoders is given.
    card = COLLECTION.models[wildcards.model]
    return {
        "architecture": card.architecture,
        "license": card.license or "unstated",
        "untrained": card.is_control,
    }


def all_geometry(wildcards):
    return of_every_block("geometry", "parquet")


def all_graphs(wildcards):
    return of_every_block("graphs", "parquet")


def all_probes(wildcards):
    # A benchmark without a probe has a row that says so, of its first split.
    scored = [
        (name, card.probe.score if card.probe else COLLECTION.splits(name)[0])
        for name, card in COLLECTION.benchmarks.items()
    ]
    return [
        f"{RESULTS}/probes/{benchmark}/{split}/{block}.parquet"
        for benchmark, split in scored
        if split in COLLECTION.splits(benchmark)
        for block in COLLECTION.blocks()
    ]


def all_figures(wildcards):
    figures = ["probes", "probe_artefact", "metrics", "registry"]
    figures += ["forest", "forest_paper", "violins", *TIMINGS]
    figures += COMPARISON_FIGURES
    if projection_shards(wildcards):
        figures.append("projection")
    pages = ["geometry", "probes", "registry", "coverage", *TIMINGS]
    return [
        *(f"{RESULTS}/figures/{name}.svg" for name in figures),
        *(f"{RESULTS}/pages/{name}.html" for name in pages),
    ]


def regressed_benchmarks(wildcards):
    # The paper's four where the collection has them all, else every one it has.
    found = list(COLLECTION.benchmarks)
    return (
        list(PAPER_BENCHMARKS) if set(PAPER_BENCHMARKS) <= set(found) else sorted(found)
    )


def shard(benchmark, model, split):
    return f"{RESULTS}/latents/{benchmark}/{model}/{split}.parquet"


# Of each card only what decides values is a parameter: a corrected citation redoes nothing. Nor does a
# key that a later version adds and that a card does not use: defaults are left out.
def inputs_card(wildcards):
    return _inputs_card(wildcards.benchmark)


@functools.cache
def _inputs_card(benchmark):
    fields = set(InputsCard.model_fields)
    return COLLECTION.benchmarks[benchmark].model_dump(
        mode="json", include=fields, exclude_defaults=True
    )


# What lies in local files decides as much as a card: their digests are parameters too, worked out anew only
# where a file has changed.
@functools.cache
def _split_content(benchmark, split):
    card = COLLECTION.benchmarks[benchmark]
    return planned_content(card, split, split_record(RESULTS, benchmark, split))


def split_content(wildcards):
    return _split_content(wildcards.benchmark, wildcards.split)


def content_record(wildcards):
    return str(split_record(RESULTS, wildcards.benchmark, wildcards.split))


@functools.cache
def _weights_content(model):
    return planned_weights_content(
        COLLECTION.models[model], weights_record(RESULTS, model)
    )


def weights_content(wildcards):
    return _weights_content(wildcards.model)


def all_weights_contents(wildcards):
    contents = {model: _weights_content(model) for model in COLLECTION.models}
    return {model: content for model, content in contents.items() if content}


@functools.cache
def _registry_content():
    # What the table of a collection's models is read and parsed by.
    paths = [REGISTRY / "registry.parquet", REGISTRY / "timm_releases.yaml"]
    paths += sorted(REGISTRY.glob("vocabulary/*.yaml"))
    return content_digest({path.name: path for path in paths}, what="the registry")


def registry_content(wildcards):
    return _registry_content()


def rows_strata(wildcards):
    card = COLLECTION.benchmarks[wildcards.benchmark]
    return card.strata if rows_cap(wildcards) else None


def probe_card(wildcards):
    probe = COLLECTION.benchmarks[wildcards.benchmark].probe
    return probe.model_dump(mode="json") if probe else None


def label_classes(wildcards):
    card = COLLECTION.benchmarks[wildcards.benchmark]
    return {column: card.classes(column) for column in card.labels}


@functools.cache
def _encoder_card(model):
    return COLLECTION.models[model].model_dump(
        mode="json", exclude={"notes"}, exclude_defaults=True
    )


def encoder_card(wildcards):
    # One object for a model's seventeen jobs, never changed: jobs get copies of their own.
    return _encoder_card(wildcards.model)


def encoder_cards(wildcards):
    cards = COLLECTION.models.values()
    return [card.model_dump(mode="json", exclude_defaults=True) for card in cards]


def rows_cap(wildcards):
    return COLLECTION.cap(wildcards.benchmark, wildcards.split)


def registry_folder(wildcards):
    return str(REGISTRY)


def on_accelerator():
    if EXTRACT.device == "auto":
        return accelerator_present()
    return EXTRACT.device != "cpu"


# Numbers, no functions: those would be called for every job.
EXTRACT_GPUS = 1 if on_accelerator() else 0
# An accelerator wants several processors to feed it; without one, a job per core is fastest.
EXTRACT_THREADS = 4 if on_accelerator() else 1
EXTRACT_TOGETHER = int(
    on_accelerator() if EXTRACT.together is None else EXTRACT.together
)


@functools.cache
def analysis_threads(benchmark):
    # On few rows a second core has little to do within a job, and is of use to another job.
    rows = [COLLECTION.rows(benchmark, split) for split in COLLECTION.splits(benchmark)]
    return 2 if max(rows) > 5000 else 1


def this_attempt(wildcards, attempt):
    return attempt


def extract_mem_mb(wildcards, attempt):
    return 4000 * attempt


def of_block(wildcards):
    # Whatever is made of the shards of a block.
    files = (
        "geometry/{}.parquet",
        "graphs/{}.parquet",
        "probes/{}.parquet",
        "verified/{}.json",
    )
    block = f"{wildcards.benchmark}/{wildcards.split}/{wildcards.block}"
    return [file.format(block) for file in files]


def block_shards(wildcards):
    # The shards of a block that can be had, of the split itself.
    shards = [
        shard(wildcards.benchmark, model, wildcards.split)
        for model in COLLECTION.models_of(int(wildcards.block))
        if is_analysed(wildcards.benchmark, model, wildcards.split)
    ]
    return remade(shards, *of_block(wildcards))


def block_fit_shards(wildcards):
    # Those of the split that the probe is fitted on, where this split is the one it is scored on.
    probe = COLLECTION.benchmarks[wildcards.benchmark].probe
    if (
        probe is None
        or wildcards.split != probe.score
        or probe.fit not in COLLECTION.splits(wildcards.benchmark)
    ):
        return []
    shards = [
        shard(wildcards.benchmark, model, probe.fit)
        for model in COLLECTION.models_of(int(wildcards.block))
        if is_analysed(wildcards.benchmark, model, probe.fit)
    ]
    return remade(shards, *of_block(wildcards))


def projection_shards(wildcards):
    wanted = COLLECTION.config.figures.projection
    shards = [
        shard(wanted.benchmark, model, wanted.split)
        for model in (wanted.models if wanted else ())
        if is_analysed(wanted.benchmark, model, wanted.split)
    ]
    return remade(shards, "figures/projection.svg")


def projection_label(wildcards):
    wanted = COLLECTION.config.figures.projection
    card = COLLECTION.benchmarks[wanted.benchmark]
    return wanted.label or (
        card.probe.labels[0] if card.probe else next(iter(card.labels), None)
    )


def begin_extraction():
    # Before the first job: what this run is to make, for those who show progress and make shards
    # ahead of their turn.
    run = Path(LOGS) / "run"
    jobs = workflow.persistence.dag.needrun_jobs()
    wildcards = [j.wildcards for j in jobs if j.rule.name == "extract"]
    begin_run(run, sum(COLLECTION.rows(w.benchmark, w.split) for w in wildcards))
    note_targets(run, [(w.benchmark, w.model, w.split) for w in wildcards])
    end_extraction()


def end_extraction():
    sweep(Path(RESULTS), COLLECTION.targets())
