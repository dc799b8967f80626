from pathlib import Path

from semasia.errors import SemasiaError
from semasia.geometry import RowCache
from semasia.geometry.probes import PROBE_COLUMNS, cached_probe_rows, unreadable_probe_row
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
        logger.info("probing %s", model)
        try:
            rows += cached_probe_rows(
                cache, path, probe, snakemake.params.classes, fit_shards.get(model)
            )
        except SemasiaError as error:
            logger.exception("%s is left without values", model)
            where = snakemake.wildcards
            rows.append(unreadable_probe_row(where.benchmark, where.split, model, error))
    write_table(frame_of(rows, PROBE_COLUMNS), snakemake.output[0])
