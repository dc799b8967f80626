import polars as pl

from semasia.figures import draw_artefact
from semasia.jobs import job

with job(snakemake.log[0]):
    draw_artefact(pl.read_parquet(snakemake.input[0]), snakemake.output[0])
