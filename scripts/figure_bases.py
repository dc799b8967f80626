from pathlib import Path

import polars as pl

from semasia.figures import draw_bases
from semasia.jobs import job

with job(snakemake.log[0]):
    draw_bases(
        pl.read_parquet(snakemake.input.bases),
        pl.read_parquet(snakemake.input.energy),
        snakemake.params.pairs,
        Path(snakemake.output[0]),
    )
