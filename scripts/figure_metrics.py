from semasia.figures import draw_metrics
from semasia.geometry import COLUMNS
from semasia.jobs import job
from semasia.tables import read_table

with job(snakemake.log[0]):
    draw_metrics(read_table(snakemake.input[0], COLUMNS), snakemake.output[0])
