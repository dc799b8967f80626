from semasia.figures import draw_forest
from semasia.jobs import job
from semasia.statistics.regression import COLUMNS
from semasia.tables import read_table

with job(snakemake.log[0]):
    frame = read_table(snakemake.input[0], COLUMNS)
    for variant in ("strict", "paper"):
        draw_forest(frame, snakemake.output[variant], variant=variant)
