from semasia.comparison.bases_table import BASES_COLUMNS, BASES_SUMMARY_COLUMNS, rows_of_pairs
from semasia.jobs import job
from semasia.neighbours import use_threads
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]):
    use_threads(snakemake.threads)
    pairs = [(pair["a"], pair["b"]) for pair in snakemake.params.pairs]
    rows, summaries = rows_of_pairs(snakemake.input, pairs)
    output = snakemake.output
    write_table(frame_of(rows, BASES_COLUMNS), output.parquet, output.csv)
    write_table(frame_of(summaries, BASES_SUMMARY_COLUMNS), output.energy, output.energy_csv)
