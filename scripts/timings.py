import json
from pathlib import Path

from semasia.extraction.timings import COLUMNS
from semasia.figures import write_plain_page
from semasia.jobs import job
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]):
    rows = [json.loads(Path(path).read_text(encoding="utf-8")) for path in snakemake.input]
    frame = frame_of(rows, COLUMNS).sort("benchmark", "split", "model_name")
    write_table(frame, snakemake.output.parquet, snakemake.output.csv)
    write_plain_page(
        frame,
        snakemake.output.page,
        title=f"{snakemake.params.title}: timings",
        remarks=["Seconds of wall time per job. Images per second leave setup out."],
    )
