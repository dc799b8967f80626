from semasia.geometry.graphs import COLUMNS as GRAPH_COLUMNS
from semasia.jobs import job
from semasia.registry.table import COLUMNS as MODEL_COLUMNS
from semasia.statistics import likelihood_ratio_table
from semasia.tables import read_table, write_table

with job(snakemake.log[0]):
    frame = likelihood_ratio_table(
        read_table(snakemake.input.graphs, GRAPH_COLUMNS),
        read_table(snakemake.input.registry, MODEL_COLUMNS),
    )
    write_table(frame, snakemake.output.parquet, snakemake.output.csv)
