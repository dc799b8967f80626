from pathlib import Path

from semasia.geometry.probes import probe_analysis
from semasia.inputs.cards import Probe
from semasia.jobs import job
from semasia.rows import RowCache
from semasia.tables import frame_of, write_table

with job(snakemake.log[0]):
    asked, files = snakemake.params, snakemake.input
    probe = Probe.model_validate(asked.probe) if asked.probe else None
    analysis = probe_analysis(probe, asked.classes)
    cache = RowCache(Path(asked.cache), asked.recipe)
    rows = analysis.rows(files.shards, cache, files.fit_shards)
    write_table(frame_of(rows, analysis.columns), snakemake.output[0])
