"""The bill of a collection before the run."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from semasia.commands.arguments import Commands


def add(commands: Commands) -> None:
    """Declare the command."""
    from semasia.commands.collections import add_configuration

    plan = commands.add_parser("plan", help="what a collection will cost, and what is done of it")
    add_configuration(plan)
    plan.add_argument(
        "--calibrate", action="store_true", help="measure a few networks on this machine first"
    )
    plan.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="of the calibration"
    )
    plan.add_argument("--output", type=Path, help="also write the table here: .parquet or .csv")
    plan.add_argument("--format", choices=("table", "csv", "json"), default="table")


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from semasia.commands.collections import collection_of
    from semasia.overview import bill_frame, bill_lines, costs_of
    from semasia.overview.speed import calibrated, speed_of_timings
    from semasia.tables import write_table

    collection, registry = collection_of(options.config, options.registry)
    results = Path(collection.config.results)
    costs = costs_of(collection, registry, results / "registry")
    flops = {model: cost.flops for model, cost in costs.items()}
    speed = calibrated(options.device) if options.calibrate else speed_of_timings(results, flops)
    bill = bill_frame(collection, costs, results, speed)
    if options.output is not None:
        csv = options.output.suffix == ".csv"
        write_table(bill, None if csv else options.output, options.output if csv else None)
    if options.format == "csv":
        print(bill.write_csv(), end="")
    elif options.format == "json":
        print(json.dumps(bill.to_dicts(), indent=1))
    else:
        print("\n".join(bill_lines(bill, costs, speed)))
    return 0
