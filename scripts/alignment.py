from pathlib import Path

from semasia.comparison.alignment import ALIGNMENT_COLUMNS
from semasia.comparison.alignment_shards import rows_of_pair
from semasia.jobs import job
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]):
    files, asked = snakemake.input, snakemake.params
    rows = rows_of_pair(
        (Path(files.fit_a), Path(files.fit_b)),
        (Path(files.score_a), Path(files.score_b)),
        together=asked.probe["labels"] if asked.probe else (),
        methods=asked.methods,
        components=asked.components,
        few_rows=asked.few_rows,
        prototype_rows=asked.get("prototype_rows"),
    )
    write_table(frame_of(rows, ALIGNMENT_COLUMNS), snakemake.output[0])
