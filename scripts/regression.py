from semasia.geometry import COLUMNS as GEOMETRY_COLUMNS
from semasia.jobs import job
from semasia.statistics import regression_table
from semasia.statistics.pairing import COLUMNS as CONTRAST_COLUMNS
from semasia.tables import read_table, write_table

with job(snakemake.log[0]):
    frame = regression_table(
        read_table(snakemake.input.geometry, GEOMETRY_COLUMNS),
        read_table(snakemake.input.contrasts, CONTRAST_COLUMNS),
        snakemake.params.benchmarks,
    )
    write_table(frame, snakemake.output.parquet, snakemake.output.csv)
