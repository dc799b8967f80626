import polars as pl

from semasia.figures import draw_forest
from semasia.jobs import job

with job(snakemake.log[0]):
    frame = pl.read_parquet(snakemake.input[0])
    for variant in ("strict", "paper"):
        draw_forest(frame, snakemake.output[variant], variant=variant)
