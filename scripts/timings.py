from semasia.extraction.timings import COLUMNS
from semasia.figures import write_plain_page
from semasia.jobs import job
from semasia.tables import read_rows, write_table

with job(snakemake.log[0]):
    keys = ("benchmark", "split", "model_name")
    frame = read_rows(snakemake.input, COLUMNS, required=keys).sort(keys)
    write_table(frame, snakemake.output.parquet, snakemake.output.csv)
    write_plain_page(
        frame,
        snakemake.output.page,
        title=f"{snakemake.params.title}: timings",
        remarks=["Seconds of wall time per job. Images per second leave setup out."],
    )
