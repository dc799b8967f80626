import time
from pathlib import Path

began = time.perf_counter()

from semasia.jobs import job  # noqa: E402

results = Path(snakemake.output.timings).parents[3]
target = [snakemake.wildcards[k] for k in ("benchmark", "model", "split")]
failure = Path(results, "failures", *target[:2], f"{target[2]}.json")

with job(snakemake.log[0], failure=failure, attempt=snakemake.resources.attempt):
    from semasia.extraction import Asked, Order, take_turn

    tuning = snakemake.config["extract"]
    asked = Asked(
        encoder=snakemake.params.encoder,
        weights=snakemake.params.weights,
        preprocess=snakemake.params.preprocess,
        precision=snakemake.params.precision,
        device=tuning["device"],
        wishes={
            **{k: tuning[k] for k in ("batch_size", "batches_per_part", "compile_from")},
            "threads": snakemake.threads,
        },
        together=bool(snakemake.resources.together),
    )
    run = Path(snakemake.log[0]).parents[3] / "run"
    take_turn(Order(results, *target), asked, run, began)
