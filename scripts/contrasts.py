import polars as pl

from semasia.jobs import job
from semasia.statistics import contrasts
from semasia.tables import write_table

with job(snakemake.log[0]):
    frame = contrasts(pl.read_parquet(snakemake.input[0]))
    write_table(frame, snakemake.output.parquet, snakemake.output.csv)
