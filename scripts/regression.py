import polars as pl

from semasia.jobs import job
from semasia.statistics import regression_table
from semasia.tables import write_table

with job(snakemake.log[0]):
    frame = regression_table(
        pl.read_parquet(snakemake.input.geometry),
        pl.read_parquet(snakemake.input.contrasts),
        snakemake.params.benchmarks,
    )
    write_table(frame, snakemake.output.parquet, snakemake.output.csv)
