from semasia.comparison.alignment import ALIGNMENT_COLUMNS, alignment_rows
from semasia.comparison.labelled import compared_labels
from semasia.comparison.pairing import paired_rows
from semasia.geometry.labelled import shard_facts
from semasia.jobs import job
from semasia.latents import Shard
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]):
    files, asked = snakemake.input, snakemake.params
    fit = [Shard(files.fit_a), Shard(files.fit_b)]
    score = [Shard(files.score_a), Shard(files.score_b)]
    # Rows of a shard ascend by id: joined, they stand in the same order.
    ids = paired_rows(*fit).ids
    paired_rows(*score)
    together = asked.probe["labels"] if asked.probe else ()
    widest = min(shard.width for shard in fit)
    rows = alignment_rows(
        *(shard.embeddings() for shard in (*fit, *score)),
        compared_labels(fit[1], together),
        compared_labels(score[1], together),
        ids,
        ks=[k for k in asked.components if k < widest] + [widest],
        methods=asked.methods,
        pairs=[n for n in asked.few_rows if n < len(ids)] + [len(ids)],
        known={
            "benchmark": shard_facts(fit[0])["benchmark"],
            "fit_split": shard_facts(fit[0])["split"],
            "test_split": shard_facts(score[0])["split"],
            "model_a": fit[0].model_name,
            "model_b": fit[1].model_name,
        },
    )
    write_table(frame_of(rows, ALIGNMENT_COLUMNS), snakemake.output[0])
