from semasia.jobs import job
from semasia.registry.table import COLUMNS
from semasia.statistics import contrasts
from semasia.tables import read_table, write_table

with job(snakemake.log[0]):
    frame = contrasts(read_table(snakemake.input[0], COLUMNS))
    write_table(frame, snakemake.output.parquet, snakemake.output.csv)
