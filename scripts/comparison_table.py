import polars as pl

from semasia.comparison.alignment import ALIGNMENT_COLUMNS
from semasia.comparison.similarity import SIMILARITY_COLUMNS
from semasia.jobs import job
from semasia.tables import frame_of, write_table

COLUMNS = {"similarity": SIMILARITY_COLUMNS, "alignment": ALIGNMENT_COLUMNS}

with job(snakemake.log[0]):
    columns = COLUMNS[snakemake.params.kind]
    frames = [frame_of([], columns), *(pl.read_parquet(path) for path in snakemake.input)]
    write_table(pl.concat(frames), snakemake.output.parquet, snakemake.output.csv)
