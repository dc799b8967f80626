import json
from pathlib import Path

from semasia.files import whole_file
from semasia.inputs import InputsCard, resolve_revision
from semasia.jobs import job

with job(snakemake.log[0]):
    card = InputsCard.model_validate(snakemake.params.card)
    resolved = {"kind": card.source.kind, "revision": resolve_revision(card)}
    with whole_file(Path(snakemake.output[0])) as temporary:
        temporary.write_text(json.dumps(resolved) + "\n", encoding="utf-8")
