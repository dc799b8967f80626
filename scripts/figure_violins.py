from semasia.figures import draw_violins
from semasia.geometry.graphs import COLUMNS as GRAPH_COLUMNS
from semasia.jobs import job
from semasia.registry.table import COLUMNS as MODEL_COLUMNS
from semasia.tables import read_table

with job(snakemake.log[0]):
    draw_violins(
        read_table(snakemake.input.graphs, GRAPH_COLUMNS),
        read_table(snakemake.input.registry, MODEL_COLUMNS),
        snakemake.output[0],
    )
