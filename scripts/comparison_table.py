from semasia.comparison.alignment import ALIGNMENT_COLUMNS
from semasia.comparison.similarity import SIMILARITY_COLUMNS
from semasia.jobs import job
from semasia.tables import read_tables, write_table

COLUMNS = {"similarity": SIMILARITY_COLUMNS, "alignment": ALIGNMENT_COLUMNS}

with job(snakemake.log[0]):
    frame = read_tables(snakemake.input, COLUMNS[snakemake.params.kind])
    write_table(frame, snakemake.output.parquet, snakemake.output.csv)
