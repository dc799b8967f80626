from pathlib import Path

from semasia.comparison.pairing import opened_or_why, reference_of
from semasia.comparison.transfer import TRANSFER_COLUMNS, transfer_rows
from semasia.comparison.transfer_shards import rows_without, usable
from semasia.geometry.labelled import class_labels, shard_facts
from semasia.inputs.cards import Probe
from semasia.jobs import job
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]) as logger:
    opened = [
        {Path(path).parent.name: opened_or_why(Path(path)) for path in paths}
        for paths in (snakemake.input.fit, snakemake.input.score)
    ]
    fit, score = (reference_of(shards.values()) for shards in opened)
    probe = Probe.model_validate(snakemake.params.probe) if snakemake.params.probe else None
    # No probe is carried over where one of its labels is absent in either split.
    fitted, scored = (class_labels(one, probe) for one in (fit, score))
    columns = probe.labels if probe else ()
    rows = []
    if columns and all(c in fitted and c in scored for c in columns):
        known = {
            "benchmark": shard_facts(fit)["benchmark"],
            "fit_split": shard_facts(fit)["split"],
            "test_split": shard_facts(score)["split"],
        }
        latents, failed = usable(*opened)
        for model, why in failed.items():
            logger.warning("%s takes no part: %s", model, why)
        rows = transfer_rows(latents, fitted, scored, known=known) if latents else []
        rows += rows_without(failed, opened[0], known)
    else:
        logger.warning("no labels to carry a probe over with: the table is empty")
    write_table(frame_of(rows, TRANSFER_COLUMNS), snakemake.output.parquet, snakemake.output.csv)
