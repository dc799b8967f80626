from pathlib import Path

import polars as pl

from semasia.figures import draw_alignments
from semasia.jobs import job

with job(snakemake.log[0]):
    draw_alignments(
        pl.read_parquet(snakemake.input[0]), snakemake.params.pairs, Path(snakemake.output[0])
    )
