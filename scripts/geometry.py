from pathlib import Path

from semasia.errors import SemasiaError
from semasia.geometry import COLUMNS, RowCache, cached_geometry_row, unreadable_row
from semasia.inputs.cards import Probe
from semasia.jobs import job
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]) as logger:
    probe = Probe.model_validate(snakemake.params.probe) if snakemake.params.probe else None
    cache = RowCache(Path(snakemake.params.cache), snakemake.params.recipe)
    fit_shards = {Path(path).parent.name: Path(path) for path in snakemake.input.fit_shards}
    rows = []
    for path in map(Path, snakemake.input.shards):
        model = path.parent.name
        logger.info("measuring %s", model)
        try:
            row = cached_geometry_row(
                cache, path, probe, snakemake.params.classes, fit_shards.get(model)
            )
        except SemasiaError as error:
            logger.exception("%s is left without values", model)
            where = snakemake.wildcards
            row = unreadable_row(where.benchmark, where.split, model, error)
        rows.append(row)
    write_table(frame_of(rows, COLUMNS), snakemake.output[0])
