from pathlib import Path

from semasia.errors import SemasiaError
from semasia.geometry import RowCache
from semasia.geometry.graphs import (
    COLUMNS,
    cached_graph_rows,
    unreadable_graph_rows,
    use_threads,
)
from semasia.jobs import job
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]) as logger:
    use_threads(snakemake.threads)
    cache = RowCache(Path(snakemake.params.cache), snakemake.params.recipe)
    graph = snakemake.params.graph
    rows = []
    for path in map(Path, snakemake.input.shards):
        model = path.parent.name
        logger.info("measuring %s", model)
        try:
            made = cached_graph_rows(cache, path, graph["k"], graph["points"])
        except SemasiaError as error:
            logger.exception("%s is left without values", model)
            where = snakemake.wildcards
            made = unreadable_graph_rows(where.benchmark, where.split, model, error)
        rows.extend(made)
    write_table(frame_of(rows, COLUMNS), snakemake.output[0])
