from pathlib import Path

from semasia.figures import draw_projection
from semasia.jobs import job
from semasia.latents import Shard

with job(snakemake.log[0]):
    shards = [Shard(Path(path)) for path in snakemake.input]
    draw_projection(shards, snakemake.params.label, snakemake.output[0])
