from pathlib import Path

from semasia.comparison.bases import (
    BASES,
    BASES_COLUMNS,
    BASES_SUMMARY_COLUMNS,
    BASIS_ROWS,
    bases,
    bases_rows,
)
from semasia.comparison.pairing import Anchor, anchored_embeddings
from semasia.errors import SemasiaError
from semasia.jobs import job
from semasia.latents import Shard
from semasia.neighbours import use_threads
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]) as logger:
    use_threads(snakemake.threads)
    shards = {Path(path).parent.name: Shard(path) for path in snakemake.input}
    known, rows, summaries = {}, [], []
    for model, shard in shards.items():
        logger.info("bases of %s", model)
        first = next(iter(shards.values()))
        anchor = Anchor.of(first.ids, BASIS_ROWS)
        try:
            known[model] = bases(anchored_embeddings([first, shard], anchor)[1])
        except SemasiaError as error:
            logger.exception("%s has no bases", model)
            known[model] = str(error)
    for pair in snakemake.params.pairs:
        a, b = pair["a"], pair["b"]
        facts = first.provenance["benchmark"]
        shared = {"benchmark": facts["name"], "split": facts["split"], "anchor": anchor.key}
        shared |= {"model_a": a, "model_b": b}
        notes = [f"{m}: {known[m]}" for m in (a, b) if isinstance(known[m], str)]
        if notes:
            summaries += [shared | {"basis": basis, "note": " ".join(notes)} for basis in BASES]
            continue
        more, told = bases_rows(shared, known[a], known[b])
        rows += more
        summaries += told
    output = snakemake.output
    write_table(frame_of(rows, BASES_COLUMNS), output.parquet, output.csv)
    write_table(frame_of(summaries, BASES_SUMMARY_COLUMNS), output.energy, output.energy_csv)
