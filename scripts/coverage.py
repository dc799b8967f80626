from pathlib import Path

from semasia.config import Collection, parse_config
from semasia.figures import write_plain_page
from semasia.jobs import job
from semasia.overview import coverage_counts, coverage_frame, states_of
from semasia.tables import write_table

with job(snakemake.log[0]):
    config = parse_config(snakemake.config, "the configuration")
    registry = Path(snakemake.params.registry)
    collection = Collection.resolve(config, registry, "the configuration")
    states = list(states_of(collection, Path(config.results)))
    write_table(coverage_frame(states), snakemake.output.parquet, snakemake.output.csv)
    failed = [s for s in states if s.state == "failed"]
    write_plain_page(
        coverage_counts(states),
        snakemake.output.page,
        title=f"{snakemake.params.title}: coverage",
        remarks=[
            f"{s.target.benchmark}/{s.target.split} {s.target.model}: {s.error}: {s.reason} "
            f"(log: {s.log})"
            for s in failed[:200]
        ],
    )
