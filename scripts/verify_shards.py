from pathlib import Path

from semasia.jobs import job
from semasia.publishing.receipts import receipts_of, write_receipts

with job(snakemake.log[0]):
    receipts = receipts_of(Path(path) for path in snakemake.input)
    write_receipts(receipts, Path(snakemake.output[0]))
