import polars as pl

from semasia.figures import draw_registry
from semasia.jobs import job
from semasia.registry.table import COLUMNS
from semasia.tables import read_table

with job(snakemake.log[0]):
    built = read_table(snakemake.input[0], COLUMNS, advice="Build it with `make registry`.")
    draw_registry(built.filter(pl.col("weights_source") == "hub"), snakemake.output[0])
