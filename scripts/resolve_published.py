from pathlib import Path

from semasia.hub import SCHEME, Repository
from semasia.jobs import job
from semasia.latents.fetching import Listing

with job(snakemake.log[0]):
    repository = Repository.of(f"{SCHEME}datasets/{snakemake.params.repository}")
    Listing.of(repository).write(Path(snakemake.output[0]))
