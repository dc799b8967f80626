from pathlib import Path

from semasia.extraction import Progress
from semasia.files import read_record
from semasia.inputs import InputsCard, prepare_split
from semasia.jobs import job

with job(snakemake.log[0]) as logger:
    split = snakemake.wildcards.split
    source = read_record(snakemake.input.source, ["revision"])
    progress = Progress(f"prepare {snakemake.wildcards.benchmark}/{split}")
    facts = prepare_split(
        InputsCard.model_validate(snakemake.params.card),
        split,
        cap=snakemake.params.rows,
        strata=snakemake.params.strata,
        revision=source["revision"],
        data=Path(snakemake.output.data),
        facts=Path(snakemake.output.facts),
        record=Path(snakemake.params.record),
        threads=snakemake.threads,
        progress=progress,
    )
    logger.info("%s", facts)
