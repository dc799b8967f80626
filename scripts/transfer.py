from semasia.comparison.transfer import TRANSFER_COLUMNS
from semasia.comparison.transfer_shards import rows_of_models
from semasia.inputs.cards import Probe
from semasia.jobs import job
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]):
    asked, files = snakemake.params, snakemake.input
    probe = Probe.model_validate(asked.probe) if asked.probe else None
    rows = rows_of_models(files.fit, files.score, probe)
    write_table(frame_of(rows, TRANSFER_COLUMNS), snakemake.output.parquet, snakemake.output.csv)
