"""A workflow of the collection's shape whose jobs do nothing: what remains is Snakemake's own time.

As in the real one, every extraction reads its split's inputs, the analyses of a block read all its
shards, and one table reads everything.
"""

from __future__ import annotations

from pathlib import Path

MODELS, SPLITS, BLOCKS = 1697, 17, 64

_SNAKEFILE = """\
MODELS, SPLITS, BLOCKS = range({models}), range({splits}), range({blocks})


def memory(wildcards, attempt):
    return 4000 * attempt


def of_block(wildcards):
    chosen = [m for m in MODELS if m % {blocks} == int(wildcards.block)]
    return [f"results/latents/{{m}}/{{wildcards.split}}.parquet" for m in chosen]


rule all:
    input:
        expand("results/latents/{{model}}/{{split}}.parquet", model=MODELS, split=SPLITS),
        "results/table.parquet",


rule prepare:
    output:
        "results/inputs/{{split}}.arrow",
    shell:
        ": > {{output}}"


rule extract:
    input:
        "results/inputs/{{split}}.arrow",
    output:
        latents="results/latents/{{model}}/{{split}}.parquet",
        timings="results/timings/{{model}}/{{split}}.json",
    log:
        "results/logs/{{model}}/{{split}}.log",
    resources:
        mem_mb=memory,
    params:
        card=lambda wildcards: {{"name": wildcards.model, "seed": 0}},
        recipe=1,
    shell:
        ": > {{output.latents}}; : > {{output.timings}}"


rule geometry:
    input:
        of_block,
    output:
        "results/geometry/{{split}}/{{block}}.parquet",
    shell:
        ": > {{output}}"


rule table:
    input:
        expand("results/geometry/{{split}}/{{block}}.parquet", split=SPLITS, block=BLOCKS),
        expand("results/timings/{{model}}/{{split}}.json", model=MODELS, split=SPLITS),
    output:
        "results/table.parquet",
    shell:
        ": > {{output}}"
"""


def write_workflow(folder: Path, models: int, splits: int, blocks: int = BLOCKS) -> None:
    """Write a Snakefile of ``models`` × ``splits`` extractions into a folder."""
    text = _SNAKEFILE.format(models=models, splits=splits, blocks=min(blocks, models))
    (folder / "Snakefile").write_text(text, encoding="utf-8")
