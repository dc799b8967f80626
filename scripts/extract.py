import json
import time
from pathlib import Path

began = time.perf_counter()

from semasia.jobs import job  # noqa: E402

benchmark, model, split = (snakemake.wildcards[k] for k in ("benchmark", "model", "split"))
results = Path(snakemake.output.timings).parents[3]
failure = results / "failures" / benchmark / model / f"{split}.json"

with job(snakemake.log[0], failure=failure) as logger:
    from semasia.encoders import TimmEncoder, keep_freed_memory, share_compiled
    from semasia.extraction import Progress, Wishes, extract, timings_row
    from semasia.files import whole_file
    from semasia.inputs import PreparedSplit
    from semasia.registry import EncoderCard

    keep_freed_memory()
    share_compiled(results / "cache" / "compiled")
    card = EncoderCard.model_validate(snakemake.params.encoder)
    prepared = PreparedSplit.open(Path(snakemake.input.data), Path(snakemake.input.facts))
    encoder = TimmEncoder(
        card,
        device=snakemake.resources.device,
        preprocess=snakemake.params.preprocess,
        precision=snakemake.params.precision,
    )
    setup = time.perf_counter() - began
    timings = extract(
        encoder,
        prepared,
        Path(snakemake.output.latents),
        Wishes(
            batch_size=snakemake.resources.batch_size or None,
            batches_per_part=snakemake.resources.batches_per_part,
            compile_from=snakemake.resources.compile_from or None,
            threads=snakemake.threads,
        ),
        progress=Progress(
            f"extract {benchmark}/{split} {model}", Path(snakemake.log[0]).parents[3] / "run"
        ),
    )
    row = timings_row(benchmark, split, encoder, timings, setup, snakemake.threads)
    logger.info("%s", row)
    with whole_file(Path(snakemake.output.timings)) as temporary:
        temporary.write_text(json.dumps(row) + "\n", encoding="utf-8")
