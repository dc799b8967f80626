from pathlib import Path

from semasia.comparison.similarity import SIMILARITY_COLUMNS
from semasia.comparison.transfer import TRANSFER_COLUMNS
from semasia.figures import draw_similarities
from semasia.jobs import job
from semasia.tables import read_table

with job(snakemake.log[0]):
    draw_similarities(
        read_table(snakemake.input.similarity, SIMILARITY_COLUMNS),
        read_table(snakemake.input.transfer, TRANSFER_COLUMNS),
        Path(snakemake.output[0]),
    )
