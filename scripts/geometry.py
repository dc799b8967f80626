from pathlib import Path

from semasia.geometry import COLUMNS, RowCache, cached_geometry_row
from semasia.inputs import BenchmarkCard
from semasia.jobs import job
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]) as logger:
    card = BenchmarkCard.model_validate(snakemake.params.card)
    cache = RowCache(Path(snakemake.params.cache), snakemake.params.recipe)
    fit_shards = {Path(path).parent.name: Path(path) for path in snakemake.input.fit_shards}
    rows = []
    for path in map(Path, snakemake.input.shards):
        model = path.parent.name
        logger.info("measuring %s", model)
        rows.append(cached_geometry_row(cache, path, card, fit_shards.get(model)))
    write_table(frame_of(rows, COLUMNS), snakemake.output[0])
