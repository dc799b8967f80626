import sys
import time
from pathlib import Path

from semasia.jobs import job
from semasia.registry import EncoderCard, load_model_set
from semasia.registry.paper_reading import (
    DIFFERENCE_COLUMNS,
    paper_differences,
    paper_reading,
)
from semasia.registry.reading import read_identifiers
from semasia.registry.table import COLUMNS, built_cards, first_releases, registry_rows
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]) as logger:
    folder = Path(snakemake.params.registry)
    names = [Path(path).stem for path in snakemake.input.sets]
    sets = [load_model_set(name, folder / "models") for name in names]
    cards = built_cards(sets)
    told = began = time.monotonic()
    done = 0

    def progress(name: str, seconds: float) -> None:
        global done, told
        done += 1
        logger.info("%s: %.2f s", name, seconds)
        if time.monotonic() - told > 10:
            told = time.monotonic()
            print(f"registry: {done:,} networks measured", file=sys.stderr, flush=True)

    rows = registry_rows(
        cards,
        releases=first_releases(folder),
        reading=paper_reading(folder),
        cache=Path(snakemake.params.cache),
        workers=snakemake.threads,
        progress=progress,
    )
    frame = frame_of(rows, COLUMNS).sort("model_name")
    write_table(frame, snakemake.output.parquet, snakemake.output.csv)
    differences = frame_of(paper_differences(frame, folder), DIFFERENCE_COLUMNS)
    differences.write_csv(snakemake.output.differences)
    for name, known in zip(names, sets, strict=True):
        identifiers = [n for n, card in known.items() if card == EncoderCard.of_timm(n)]
        if identifiers:
            print(f"registry: {name}: {read_identifiers(identifiers)}", file=sys.stderr)
    print(
        f"registry: {len(frame):,} models in {time.monotonic() - began:.0f} s; "
        f"{snakemake.output.parquet}",
        file=sys.stderr,
    )
