from pathlib import Path

from semasia.geometry import RowCache, rows_of_block
from semasia.geometry.probes import PROBE_COLUMNS, cached_probe_rows, unreadable_probe_row
from semasia.inputs.cards import Probe
from semasia.jobs import job
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]):
    probe = Probe.model_validate(snakemake.params.probe) if snakemake.params.probe else None
    cache = RowCache(Path(snakemake.params.cache), snakemake.params.recipe)
    fits = {Path(path).parent.name: Path(path) for path in snakemake.input.fit_shards}
    classes, where = snakemake.params.classes, snakemake.wildcards
    rows = rows_of_block(
        snakemake.input.shards,
        lambda path: cached_probe_rows(cache, path, probe, classes, fits.get(path.parent.name)),
        lambda model, error: [unreadable_probe_row(where.benchmark, where.split, model, error)],
    )
    write_table(frame_of(rows, PROBE_COLUMNS), snakemake.output[0])
