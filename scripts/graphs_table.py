import polars as pl

from semasia.jobs import job
from semasia.tables import write_table

with job(snakemake.log[0]):
    frame = pl.concat([pl.read_parquet(path) for path in snakemake.input])
    frame = frame.sort("benchmark", "split", "model_name", "recipe")
    write_table(frame, snakemake.output.parquet, snakemake.output.csv)
