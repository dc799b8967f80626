from pathlib import Path

from semasia.comparison.bases_table import BASES_COLUMNS, BASES_SUMMARY_COLUMNS
from semasia.figures import draw_bases
from semasia.jobs import job
from semasia.tables import read_table

with job(snakemake.log[0]):
    draw_bases(
        read_table(snakemake.input.bases, BASES_COLUMNS),
        read_table(snakemake.input.energy, BASES_SUMMARY_COLUMNS),
        snakemake.params.pairs,
        Path(snakemake.output[0]),
    )
