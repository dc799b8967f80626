import sys
from pathlib import Path

from semasia.config import Collection, parse_config
from semasia.errors import HubError
from semasia.jobs import job
from semasia.publishing.whole import publish_all

with job(snakemake.log[0]) as log:
    file = snakemake.params.file
    config = parse_config(snakemake.config, file)
    collection = Collection.resolve(config, Path(snakemake.params.registry), file)

    def tell(line):
        print(line, file=sys.stderr, flush=True)
        log.info("%s", line)

    if refused := publish_all(collection, file, tell=tell):
        raise HubError(
            f"{refused} shards are not sound and were not published; {snakemake.log[0]} names "
            "them. Delete them and run again."
        )
