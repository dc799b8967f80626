from pathlib import Path

import polars as pl

from semasia.figures import draw_similarities
from semasia.jobs import job

with job(snakemake.log[0]):
    draw_similarities(
        pl.read_parquet(snakemake.input.similarity),
        pl.read_parquet(snakemake.input.transfer),
        Path(snakemake.output[0]),
    )
