from pathlib import Path

from semasia.comparison.alignment import ALIGNMENT_COLUMNS
from semasia.figures import draw_alignments
from semasia.jobs import job
from semasia.tables import read_table

with job(snakemake.log[0]):
    draw_alignments(
        read_table(snakemake.input[0], ALIGNMENT_COLUMNS),
        snakemake.params.pairs,
        Path(snakemake.output[0]),
    )
