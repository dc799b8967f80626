from pathlib import Path

from semasia.geometry import RowCache, rows_of_block
from semasia.geometry.graphs import COLUMNS, cached_graph_rows, unreadable_graph_rows
from semasia.jobs import job
from semasia.neighbours import use_threads
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]):
    use_threads(snakemake.threads)
    cache = RowCache(Path(snakemake.params.cache), snakemake.params.recipe)
    graph, where = snakemake.params.graph, snakemake.wildcards
    rows = rows_of_block(
        snakemake.input.shards,
        lambda path: cached_graph_rows(cache, path, graph["k"], graph["points"]),
        lambda model, error: unreadable_graph_rows(where.benchmark, where.split, model, error),
    )
    write_table(frame_of(rows, COLUMNS), snakemake.output[0])
