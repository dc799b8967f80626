import polars as pl

from semasia.figures import write_probes_page
from semasia.geometry.probes import PROBE_COLUMNS, probe_artefact
from semasia.jobs import job
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]):
    frames = [pl.read_parquet(path) for path in snakemake.input]
    frame = pl.concat([frame_of([], PROBE_COLUMNS), *frames])
    frame = frame.sort("benchmark", "split", "model_name", maintain_order=True)
    write_table(frame, snakemake.output.parquet, snakemake.output.csv)
    write_table(
        probe_artefact(frame), snakemake.output.artefact_parquet, snakemake.output.artefact_csv
    )
    write_probes_page(frame, snakemake.output.page, title=snakemake.params.title)
