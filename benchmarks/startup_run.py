"""One small job, its time lap by lap: prints a line of JSON."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

_ROWS = 500


def main() -> None:
    """Extract 500 digits; print seconds per lap."""
    laps: dict[str, float] = {}
    last = time.perf_counter()

    def lap(name: str | None) -> None:
        nonlocal last
        now = time.perf_counter()
        if name:
            laps[name] = now - last
        last = now

    import torch  # noqa: F401

    lap("import torch")
    from semasia.compat import import_timm

    import_timm()
    lap("import timm")
    from semasia.encoders import TimmEncoder, keep_freed_memory
    from semasia.extraction import Wishes, extract
    from semasia.registry import load_model_set
    from semasia.registry.location import registry_folder

    lap("import semasia")
    from benchmarks.extraction_run import prepared_split

    with tempfile.TemporaryDirectory() as scratch:
        split = prepared_split(Path(scratch), "digits", _ROWS)
        lap(None)
        keep_freed_memory()
        card = load_model_set("demo", registry_folder() / "models")["tf_efficientnet_lite0.in1k"]
        encoder = TimmEncoder(card, preprocess="device")
        lap("network and weights")
        told: list[float] = []
        extract(
            encoder,
            split,
            Path(scratch) / "shard" / "test.parquet",
            Wishes(threads=2),
            progress=lambda *_: told.append(time.perf_counter()),
        )
        laps["first batch"] = told[0] - last
        laps["the other batches"] = time.perf_counter() - told[0]
    print(json.dumps(laps))


if __name__ == "__main__":
    main()
