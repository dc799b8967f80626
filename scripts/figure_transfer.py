from pathlib import Path

import polars as pl

from semasia.figures import draw_transfers
from semasia.jobs import job

with job(snakemake.log[0]):
    draw_transfers(pl.read_parquet(snakemake.input[0]), Path(snakemake.output[0]))
