from semasia.figures import write_probes_page
from semasia.geometry.probes import PROBE_COLUMNS, probe_artefact
from semasia.jobs import job
from semasia.tables import read_tables, write_table

with job(snakemake.log[0]):
    frame = read_tables(snakemake.input, PROBE_COLUMNS)
    frame = frame.sort("benchmark", "split", "model_name", maintain_order=True)
    write_table(frame, snakemake.output.parquet, snakemake.output.csv)
    write_table(
        probe_artefact(frame), snakemake.output.artefact_parquet, snakemake.output.artefact_csv
    )
    write_probes_page(frame, snakemake.output.page, title=snakemake.params.title)
