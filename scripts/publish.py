import sys

from semasia.config import Collection, parse_config
from semasia.jobs import job
from semasia.publishing.whole import publish_all

with job(snakemake.log[0]) as log:
    file = snakemake.params.file
    config = parse_config(snakemake.config, file)
    collection = Collection.resolve(config, snakemake.params.registry, file)

    def tell(line):
        print(line, file=sys.stderr, flush=True)
        log.info("%s", line)

    publish_all(collection, file, tell=tell)
