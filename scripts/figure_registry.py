import polars as pl

from semasia.figures import draw_registry
from semasia.jobs import job

with job(snakemake.log[0]):
    built = pl.read_parquet(snakemake.input[0])
    draw_registry(built.filter(pl.col("weights_source") == "hub"), snakemake.output[0])
