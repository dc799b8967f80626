from semasia.figures import draw_projection
from semasia.jobs import job
from semasia.rows import opened_or_why

with job(snakemake.log[0]):
    shards = [opened_or_why(path) for path in snakemake.input]
    draw_projection(shards, snakemake.params.label, snakemake.output[0])
