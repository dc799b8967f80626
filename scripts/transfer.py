from semasia.comparison.pairing import paired_rows
from semasia.comparison.transfer import TRANSFER_COLUMNS, ModelLatents, transfer_rows
from semasia.jobs import job
from semasia.latents import Shard
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]) as logger:
    fit = [Shard(path) for path in snakemake.input.fit]
    score = [Shard(path) for path in snakemake.input.score]
    for shards in (fit, score):
        for other in shards[1:]:
            paired_rows(shards[0], other)
    probe = snakemake.params.probe
    columns = [c for c in (probe["labels"] if probe else ()) if min(fit[0].labels[c]) >= 0]
    rows = []
    if columns and min(min(score[0].labels[c]) for c in columns) >= 0:
        rows = transfer_rows(
            {
                one.model_name: ModelLatents(one.embeddings(), other.embeddings())
                for one, other in zip(fit, score, strict=True)
            },
            {c: fit[0].labels[c] for c in columns},
            {c: score[0].labels[c] for c in columns},
            known={
                "benchmark": fit[0].provenance["benchmark"]["name"],
                "fit_split": fit[0].provenance["benchmark"]["split"],
                "test_split": score[0].provenance["benchmark"]["split"],
            },
        )
    else:
        logger.warning("no labels to carry a probe over with: the table is empty")
    write_table(frame_of(rows, TRANSFER_COLUMNS), snakemake.output.parquet, snakemake.output.csv)
