from pathlib import Path

from semasia.figures import write_plain_page
from semasia.jobs import job
from semasia.registry import EncoderCard
from semasia.registry.table import COLUMNS, collection_rows
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]):
    cards = [EncoderCard.model_validate(card) for card in snakemake.params.cards]
    rows = collection_rows(cards, Path(snakemake.params.registry), Path(snakemake.params.cache))
    frame = frame_of(rows, COLUMNS).sort("model_name")
    write_table(frame, snakemake.output.parquet, snakemake.output.csv)
    write_plain_page(
        frame,
        snakemake.output.page,
        title=f"{snakemake.params.title}: models",
        remarks=["Grey rows are untrained controls: seeded random weights."],
    )
