from pathlib import Path

from semasia.comparison.bases_table import BASES_COLUMNS, BASES_SUMMARY_COLUMNS, rows_of_pairs
from semasia.comparison.pairing import opened_or_why
from semasia.jobs import job
from semasia.neighbours import use_threads
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]):
    use_threads(snakemake.threads)
    rows, summaries = rows_of_pairs(
        {Path(path).parent.name: opened_or_why(Path(path)) for path in snakemake.input},
        [(pair["a"], pair["b"]) for pair in snakemake.params.pairs],
    )
    output = snakemake.output
    write_table(frame_of(rows, BASES_COLUMNS), output.parquet, output.csv)
    write_table(frame_of(summaries, BASES_SUMMARY_COLUMNS), output.energy, output.energy_csv)
