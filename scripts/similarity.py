from pathlib import Path

from semasia.accelerator import use_device
from semasia.comparison.similarity import SIMILARITY_COLUMNS, Sampling
from semasia.comparison.tiles import tile_rows
from semasia.jobs import job
from semasia.neighbours import use_threads
from semasia.rows import RowCache
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]):
    use_threads(snakemake.threads)
    use_device("cuda" if snakemake.resources.get("gpu") else None)
    first, second = snakemake.params.models
    rows = tile_rows(
        snakemake.input,
        first,
        second,
        rows=snakemake.params.rows,
        with_intervals={frozenset(pair) for pair in snakemake.params.pairs},
        sampling=Sampling(snakemake.params.get("sampling", "rows")),
        cache=RowCache(Path(snakemake.params.cache), snakemake.params.recipe),
    )
    write_table(frame_of(rows, SIMILARITY_COLUMNS), snakemake.output[0])
