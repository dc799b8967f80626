from semasia.extraction.timings import COLUMNS
from semasia.figures import draw_timings
from semasia.jobs import job
from semasia.tables import read_table

with job(snakemake.log[0]):
    draw_timings(read_table(snakemake.input[0], COLUMNS), snakemake.output[0])
