# What Snakemake 9.27.1 does anew for every job, or every few seconds, where once is enough. Over the 30,000 jobs
# of the paper's collection these make more than a third of a plan's time (docs/scale.md). What is planned is the
# same, and another version of Snakemake is left as it is.
import atexit
import functools
import gc
import os
import sys

import snakemake
import snakemake.common
import snakemake.dag
import snakemake.jobs
import snakemake.output_index
import snakemake.rules
import snakemake.scheduling.job_scheduler
import snakemake.script
import snakemake.sourcecache
from snakemake.settings.enums import Quietness

# The graph lives as long as the process: looking through it for garbage, while it grows and once more at the end,
# finds nothing.
gc.set_threshold(200_000, 50, 1000)
atexit.register(gc.freeze)


def remember(plain, key):
    # What `plain` returned for a key of its arguments; None: not to be remembered.
    known = {}

    @functools.wraps(plain)
    def remembered(*arguments, **named):
        name = key(*arguments, **named)
        if name is None:
            return plain(*arguments, **named)
        if name not in known:
            known[name] = plain(*arguments, **named)
        return known[name]

    return remembered


def constant_script(path, sourcecache, basedir=None, wildcards=None, params=None):
    # A path with wildcards in it is another script for every job.
    return None if "{" in str(path) else (str(path), str(basedir))


def checked_where_nested(plain):
    # Snakemake sorts all outputs as paths to find one that lies in another. Only a folder of some output
    # can be such another: few folders hold all of them.
    def check(dag):
        outputs = {os.path.abspath(file) for job in dag.jobs for file in job.output}
        folders = outputs
        above = set()
        while folders := {os.path.dirname(path) for path in folders} - above:
            above |= folders
        if above & outputs:
            plain(dag)

    return check


def script_found_once(plain):
    # A rule's script is there for each of its jobs, or for none.
    seen = set()

    def check(processor, job):
        declared = job.rule
        script = getattr(declared, processor.script_type)
        if script is not None and (declared not in seen or "{" in str(script)):
            plain(processor, job)
            seen.add(declared)

    return check


def constant_environment(plain):
    # An environment without wildcards needs no job's parameters to be found.
    def spec(job):
        known = job.rule._expanded_conda_env
        return plain(job) if known is snakemake.rules._NOT_CACHED else known

    return property(spec)


def freed_once(plain):
    # A plan takes no resources, yet gives back those of every job: the first of its kind shows whether
    # they can be worked out.
    seen = set()

    def free(scheduler, job):
        # A group of jobs is of the kind that its members are.
        if (kind := frozenset(job.rules)) not in seen:
            plain(scheduler, job)
            seen.add(kind)

    return free


if snakemake.__version__ == "9.27.1":
    # Which arguments a rule's functions take is looked up for each resource of each job.
    parameters = remember(
        snakemake.common.get_function_params,
        lambda function: getattr(function, "__func__", function),
    )
    for holder in (snakemake.common, snakemake.jobs, snakemake.rules):
        holder.get_function_params = parameters
    # Where a rule's script and environment lie, and what is in them.
    snakemake.sourcecache.parse_uri = functools.cache(snakemake.sourcecache.parse_uri)
    snakemake.script.get_source = remember(snakemake.script.get_source, constant_script)
    # Which rule makes a file that several need.
    index = snakemake.output_index.OutputIndex
    index.match_producers = remember(
        index.match_producers, lambda index, file: (id(index), str(file))
    )
    graph, job = snakemake.dag.DAG, snakemake.jobs.Job
    graph.check_directory_outputs = checked_where_nested(graph.check_directory_outputs)
    job.conda_env_spec = constant_environment(job.conda_env_spec.fget)
    look = snakemake.dag.ScriptProcessor
    look.process_job = script_found_once(look.process_job)
    # What a plan would say of each job is put into words even where the profile keeps it quiet.
    told = workflow.output_settings
    unheard = Quietness.RULES in (told.quiet or ()) and not told.log_handler_settings
    if told.dryrun:
        scheduler = snakemake.scheduling.job_scheduler.JobScheduler
        scheduler._free_resources = freed_once(scheduler._free_resources)
        if unheard:
            job.log_info = lambda job, **how: None


def ask_once_for_min_job_age():
    # Before each look at its jobs the SLURM plugin (2.8.0) asks the controller for MinJobAge. Where
    # that is silent for ten seconds just then, the plugin turns from squeue to sacct, which knows
    # nothing without accounting, and the driver waits for ever. One answer is enough.
    plugin = sys.modules.get("snakemake_executor_plugin_slurm")
    if plugin is not None and (age := plugin.get_min_job_age()) is not None:
        plugin.get_min_job_age = lambda: age
