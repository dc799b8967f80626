from semasia.comparison.pairing import paired_rows
from semasia.comparison.transfer import TRANSFER_COLUMNS, ModelLatents, transfer_rows
from semasia.geometry.labelled import class_labels, shard_facts
from semasia.inputs.cards import Probe
from semasia.jobs import job
from semasia.latents import Shard
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]) as logger:
    fit = [Shard(path) for path in snakemake.input.fit]
    score = [Shard(path) for path in snakemake.input.score]
    for shards in (fit, score):
        for other in shards[1:]:
            paired_rows(shards[0], other)
    probe = Probe.model_validate(snakemake.params.probe) if snakemake.params.probe else None
    # No probe is carried over where one of its labels is absent in either split.
    fitted, scored = (class_labels(one, probe) for one in (fit[0], score[0]))
    columns = probe.labels if probe else ()
    rows = []
    if columns and all(c in fitted and c in scored for c in columns):
        rows = transfer_rows(
            {
                one.model_name: ModelLatents(one.embeddings(), other.embeddings())
                for one, other in zip(fit, score, strict=True)
            },
            fitted,
            scored,
            known={
                "benchmark": shard_facts(fit[0])["benchmark"],
                "fit_split": shard_facts(fit[0])["split"],
                "test_split": shard_facts(score[0])["split"],
            },
        )
    else:
        logger.warning("no labels to carry a probe over with: the table is empty")
    write_table(frame_of(rows, TRANSFER_COLUMNS), snakemake.output.parquet, snakemake.output.csv)
