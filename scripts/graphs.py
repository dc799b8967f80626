from pathlib import Path

from semasia.geometry.graphs import graph_analysis
from semasia.jobs import job
from semasia.neighbours import use_threads
from semasia.rows import RowCache
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]):
    use_threads(snakemake.threads)
    asked = snakemake.params
    analysis = graph_analysis(asked.graph["k"], asked.graph["points"])
    cache = RowCache(Path(asked.cache), asked.recipe)
    rows = analysis.rows(snakemake.input.shards, cache)
    write_table(frame_of(rows, analysis.columns), snakemake.output[0])
