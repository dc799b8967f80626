from semasia.figures import draw_probes
from semasia.geometry import COLUMNS
from semasia.jobs import job
from semasia.tables import read_table

with job(snakemake.log[0]):
    draw_probes(read_table(snakemake.input[0], COLUMNS), snakemake.output[0])
