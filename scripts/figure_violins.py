import polars as pl

from semasia.figures import draw_violins
from semasia.jobs import job

with job(snakemake.log[0]):
    draw_violins(
        pl.read_parquet(snakemake.input.graphs),
        pl.read_parquet(snakemake.input.registry),
        snakemake.output[0],
    )
