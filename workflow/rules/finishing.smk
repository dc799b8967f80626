# What a run does before its jobs and when they are over: the report, the analyses of what exists, what it says.
import subprocess
import sys

import yaml


def snakemake_again(log, *arguments, targets=(), **changes):
    # Run this workflow once more on the configuration in force, its output in a file.
    Path(LOGS).mkdir(parents=True, exist_ok=True)
    effective = Path(LOGS, "config.yaml")
    effective.write_text(yaml.safe_dump({**config, **changes}), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", *arguments]
    command += ["--snakefile", str(workflow.main_snakefile)]
    command += ["--configfile", str(effective), "--", *targets]
    with open(Path(LOGS, log), "w", encoding="utf-8") as file:
        subprocess.run(command, stdout=file, stderr=subprocess.STDOUT)


def own_cores():
    # A run on a cluster has no number of cores but that of its own machine.
    return ["--cores", str(workflow.resource_settings.local_cores or workflow.cores)]


def where_jobs_run():
    # The profile that this run was started with: jobs of a cluster are the cluster's once more.
    options = ("--profile", "--workflow-profile")
    given = []
    for word, value in zip(sys.argv, [*sys.argv[1:], ""]):
        name, _, joined = word.partition("=")
        if name in options:
            given += [name, joined or value]
    return given or own_cores()


def write_report():
    # Only where everything on it is there: a run of single targets leaves the report alone.
    if all(Path(f).exists() for f in all_figures(None)):
        page = f"{RESULTS}/report.html"
        snakemake_again("report.log", *own_cores(), "--report", page)


# Rules that make what analyses read, and those that gather; all others are analyses.
MAKING = {"resolve_source", "prepare_split", "extract", "build_registry"}
MAKING |= {"resolve_published", "fetch"}
MAKING |= {"build_contrasts", "plan", "shards", "all"}


def analyses():
    return [rule.name for rule in workflow.rules if rule.name not in MAKING]


def was_interrupted(log):
    files = [log] if isinstance(log, str) else log
    told = "Terminating processes on user request"
    return any(
        told in Path(f).read_text(encoding="utf-8", errors="replace") for f in files
    )


def analyses_asked_for():
    # Of this run's targets those that are analyses; all of them where everything was asked for.
    asked = set(workflow.dag_settings.targets) - {"all"}
    if asked != set(workflow.dag_settings.targets) or not asked:
        return ["analyses"]
    names = ("geometry", "graphs", "probes", "similarity", "alignment")
    names += ("tables", "figures", "pages")
    folders = tuple(f"{RESULTS}/{n}/" for n in names)
    return sorted(t for t in asked if t in analyses() or t.startswith(folders))


def analyse_what_exists(log):
    # After a run in which some targets failed: the analyses of all the others, and nothing else.
    # The lock is held by this process, which has no jobs left.
    inner = COLLECTION.config.existing_only or workflow.remote_exec
    targets = analyses_asked_for()
    if targets and not inner and not was_interrupted(log):
        snakemake_again(
            "analyses.log",
            *where_jobs_run(),
            *("--nolock", "--allowed-rules", *analyses()),
            targets=targets,
            existing_only=True,
        )


def summary():
    targets = list(COLLECTION.targets())
    made = sum(Path(shard(*t)).exists() for t in targets)
    lines = [
        f"{made:,} of {len(targets):,} shards: {shard('BENCHMARK', 'MODEL', 'SPLIT')}"
    ]
    for name in (
        "tables/geometry.csv",
        "tables/graphs.csv",
        "tables/probes.csv",
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
