import polars as pl

from semasia.figures import draw_timings
from semasia.jobs import job

with job(snakemake.log[0]):
    draw_timings(pl.read_parquet(snakemake.input[0]), snakemake.output[0])
