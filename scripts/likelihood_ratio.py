import polars as pl

from semasia.jobs import job
from semasia.statistics import likelihood_ratio_table
from semasia.tables import write_table

with job(snakemake.log[0]):
    frame = likelihood_ratio_table(
        pl.read_parquet(snakemake.input.graphs), pl.read_parquet(snakemake.input.registry)
    )
    write_table(frame, snakemake.output.parquet, snakemake.output.csv)
