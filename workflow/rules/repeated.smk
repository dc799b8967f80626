# What Snakemake 9.27.1 does anew for every job, or every few seconds, where once is enough. Over the 30,000 jobs
# of the paper's collection these make more than a third of a plan's time (docs/scale.md). What is planned is the
# same, and another version of Snakemake is left as it is.
import atexit
import functools
import gc
import sys

import snakemake
import snakemake.common
import snakemake.jobs
import snakemake.rules
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
    # What a plan would say of each job is put into words even where the profile keeps it quiet.
    told = workflow.output_settings
    unheard = Quietness.RULES in (told.quiet or ()) and not told.log_handler_settings
    if told.dryrun and unheard:
        snakemake.jobs.Job.log_info = lambda job, **how: None


def ask_once_for_min_job_age():
    # Before each look at its jobs the SLURM plugin (2.8.0) asks the controller for MinJobAge. Where
    # that is silent for ten seconds just then, the plugin turns from squeue to sacct, which knows
    # nothing without accounting, and the driver waits for ever. One answer is enough.
    plugin = sys.modules.get("snakemake_executor_plugin_slurm")
    if plugin is not None and (age := plugin.get_min_job_age()) is not None:
        plugin.get_min_job_age = lambda: age
