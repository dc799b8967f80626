from pathlib import Path

from semasia.comparison.transfer import TRANSFER_COLUMNS
from semasia.figures import draw_transfers
from semasia.jobs import job
from semasia.tables import read_table

with job(snakemake.log[0]):
    draw_transfers(read_table(snakemake.input[0], TRANSFER_COLUMNS), Path(snakemake.output[0]))
