from semasia.geometry.graphs import COLUMNS
from semasia.jobs import job
from semasia.tables import read_tables, write_table

with job(snakemake.log[0]):
    frame = read_tables(snakemake.input, COLUMNS)
    frame = frame.sort("benchmark", "split", "model_name", "recipe")
    write_table(frame, snakemake.output.parquet, snakemake.output.csv)
