from pathlib import Path

from semasia.jobs import job

target = Path(snakemake.output[0])
key = [snakemake.wildcards[k] for k in ("benchmark", "model", "split")]
failure = Path(target.parents[3], "failures", *key[:2], f"{key[2]}.json")

with job(snakemake.log[0], failure=failure, attempt=snakemake.resources.attempt):
    from semasia.latents.fetching import Listing, fetch_shard
    from semasia.latents.roots import Key

    listing = Listing.read(Path(snakemake.input.listing))
    fetch_shard(
        listing,
        Key(*key),
        snakemake.params.rows,
        target,
        stated=snakemake.params.stated,
        source_rows=snakemake.params.source_rows,
    )
