import polars as pl

from semasia.figures import write_geometry_page
from semasia.jobs import job
from semasia.tables import write_table

with job(snakemake.log[0]):
    frame = pl.concat([pl.read_parquet(path) for path in snakemake.input])
    frame = frame.sort("benchmark", "split", "model_name")
    write_table(frame, snakemake.output.parquet, snakemake.output.csv)
    write_geometry_page(
        frame,
        snakemake.output.page,
        title=snakemake.params.title,
        targets=snakemake.params.targets,
    )
