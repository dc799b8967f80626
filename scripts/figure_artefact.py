from semasia.figures import draw_artefact
from semasia.geometry.probes import ARTEFACT_COLUMNS
from semasia.jobs import job
from semasia.tables import read_table

with job(snakemake.log[0]):
    draw_artefact(read_table(snakemake.input[0], ARTEFACT_COLUMNS), snakemake.output[0])
