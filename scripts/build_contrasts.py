import sys
from pathlib import Path

from semasia.jobs import job
from semasia.statistics import contrasts_of_set, counts
from semasia.tables import write_table

with job(snakemake.log[0]):
    frame = contrasts_of_set(Path(snakemake.params.registry))
    write_table(frame, snakemake.output.parquet, snakemake.output.csv)
    for row in counts(frame).iter_rows(named=True):
        print(
            f"contrasts: {row['condition']}: strict {row['strict']:,}, paper {row['paper']:,} "
            f"(Table 2: {row['table_2_pairs']:,})",
            file=sys.stderr,
        )
