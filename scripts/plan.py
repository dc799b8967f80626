from pathlib import Path

from semasia.config import Collection, parse_config
from semasia.jobs import job
from semasia.overview import bill_frame, costs_of
from semasia.overview.speed import speed_of_timings
from semasia.tables import write_table

with job(snakemake.log[0]):
    config = parse_config(snakemake.config, "the configuration")
    registry = Path(snakemake.params.registry)
    collection = Collection.resolve(config, registry, "the configuration")
    results = Path(config.results)
    costs = costs_of(collection, registry, results / "registry")
    speed = speed_of_timings(results, {model: cost.flops for model, cost in costs.items()})
    bill = bill_frame(collection, costs, results, speed)
    write_table(bill, snakemake.output.parquet, snakemake.output.csv)
