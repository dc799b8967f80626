"""The examples of docs/publishing.md run as they stand, and queries fetch what they say they do."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from semasia.latents.encoding import SPLIT, row_group_rows
from semasia.latents.schema import shard_schema

from .place import REPOSITORY, Place
from .running import RunningHub

Client = Callable[..., Any]
DOCS = (REPOSITORY / "docs" / "publishing.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)


def test_every_example_runs_as_it_stands(place: Place, hub: RunningHub) -> None:
    assert len(PROGRAMS) == 7
    assert place.semasia("publish").returncode == 0
    for program in PROGRAMS:
        done = subprocess.run(
            [sys.executable, "-c", program.replace("NAMESPACE", "tester")],
            env=hub.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, program + done.stderr
        assert done.stdout.strip()
    assert not hub.leaks()


def test_the_readmes_walk_through(place: Place, hub: RunningHub) -> None:
    """Its commands as they stand, in a clone whose collection is built."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    part = text[text.index("## Publishing, and reading back") : text.index("## Development")]
    [shell] = re.findall(r"```\n(.*?)```", part, re.DOTALL)
    [program] = re.findall(r"```python\n(.*?)```", part, re.DOTALL)
    login, *commands = shell.replace("MY-NAME", "tester").strip().splitlines()
    # The token is in the environment, as it says.
    assert login.startswith("hf auth login")
    for name in ("workflow", "registry"):
        (place.folder / name).symlink_to(REPOSITORY / name)
    (place.folder / "config").mkdir()
    del place.config["hub"]
    (place.folder / "config" / "config.yaml").write_text(yaml.safe_dump(place.config))
    path = f"{Path(sys.executable).parent}:{hub.environment['PATH']}"
    told = place.run("bash", "-euxc", "\n".join(commands), PATH=path)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "it would be created" in told.stdout and "10 shards" in told.stdout
    for shard in place.shards():
        fetched = place.folder / "fetched" / shard.relative_to(place.folder / "results")
        assert fetched.read_bytes() == shard.read_bytes()
    done = place.run(sys.executable, "-c", program.replace("MY-NAME", "tester"))
    assert done.returncode == 0, done.stderr


ROWS, WIDTH = 12_000, 2048


def push_file(repository: str, path: str) -> None:
    from huggingface_hub import HfApi

    HfApi().create_repo(repository, repo_type="dataset")
    HfApi().upload_file(
        path_or_fileobj=path,
        path_in_repo="data/m/test.parquet",
        repo_id=repository,
        repo_type="dataset",
    )


def with_polars(repository: str, columns: list, most: int) -> int:
    import os

    import polars as pl

    place = f"datasets/{repository}/resolve/main/data/m/test.parquet"
    rows = pl.scan_parquet(f"{os.environ['HF_ENDPOINT']}/{place}")
    return rows.filter(pl.col("id") < most).select(columns).collect().height


def with_duckdb(repository: str, columns: list, most: int) -> int:
    import duckdb
    from huggingface_hub import HfFileSystem

    db = duckdb.connect()
    db.register_filesystem(HfFileSystem())
    found = db.sql(
        f"SELECT {', '.join(columns)} FROM 'hf://datasets/{repository}/data/m/test.parquet' "
        f"WHERE id < {most}"
    )
    return len(found.fetchall())


def test_a_query_fetches_the_columns_and_row_groups_that_it_needs(
    hub: RunningHub, client: Client, tmp_path: Path, rng: np.random.Generator
) -> None:
    schema = shard_schema({"label": ["a", "b"]}, WIDTH)
    vectors = pa.array(rng.standard_normal(ROWS * WIDTH, np.float32))
    table = pa.table(
        [
            pa.array(np.arange(ROWS, dtype=np.uint32)),
            pa.array(np.arange(ROWS) % 2),
            pa.repeat("m", ROWS),
            pa.FixedSizeListArray.from_arrays(vectors, WIDTH),
        ],
        schema=schema,
    )
    path = tmp_path / "test.parquet"
    pq.write_table(table, path, row_group_size=row_group_rows(WIDTH), **SPLIT)
    size, groups = path.stat().st_size, pq.ParquetFile(path).num_row_groups
    assert groups == 3
    client(push_file, "tester/semasia-noise", str(path))
    everything = ["id", "label", "model_name", "embedding"]
    for name, query in (("polars", with_polars), ("DuckDB", with_duckdb)):
        sent = {}
        for what, columns, most in (
            ("id, label", ["id", "label"], ROWS),
            ("id < 100", everything, 100),
            ("all", everything, ROWS),
        ):
            hub.forget_requests()
            assert client(query, "tester/semasia-noise", columns, most) == min(most, ROWS)
            sent[what] = hub.bytes_sent()
            print(f"{name}, {what}: {sent[what] / 1e6:.2f} of {size / 1e6:.1f} MB")
        # One of three row groups, and what is read ahead.
        assert sent["id < 100"] < 0.45 * size
        assert sent["all"] > 0.9 * size
        assert sent["id, label"] < 0.2 * size
